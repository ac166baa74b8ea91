import type { PluginFactory } from '../framework.ts';
import { fitMessage } from '../fit-message.ts';
import { unschedulable } from '../status.ts';

const name = 'DefaultPreemption';

/** Makes room for a pod by removing less important ones. */
export const defaultPreemption: PluginFactory = {
  name,
  create: () => ({
    name,
    postFilter(_state, _pod, { rejections, nodes, others }) {
      const statuses = [
        ...rejections.map(({ status }) => status),
        ...nodes.slice(rejections.length).map(() => others),
      ];
      const reasons = statuses.map((status) =>
        status.code === 'Unschedulable'
          ? 'No preemption victims found for incoming pod'
          : 'Preemption is not helpful for scheduling',
      );
      return { status: unschedulable(`preemption: ${fitMessage(nodes.length, reasons)}`) };
    },
  }),
};
