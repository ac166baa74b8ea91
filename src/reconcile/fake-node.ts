import { pods, type Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import type { Controller } from './controller.ts';

/**
 * Plays the scheduler and a node, for tests: pods run and are ready at once, and are gone when deleted. The image of the
 * first container says otherwise: `never` stays pending, `unready` never gets ready, `once` succeeds, `broken` fails.
 */
export const fakeNode: Controller = {
  name: 'fake-node',
  aliases: [],
  start({ client, informers }) {
    const pending = new Set<Promise<void>>();
    let count = 0;
    async function serve(pod: Live<Pod>): Promise<void> {
      const { namespace = '', name } = pod.metadata;
      try {
        if (pod.metadata.deletionTimestamp !== undefined) {
          await client.for(pods).delete({ namespace, name }, { gracePeriodSeconds: 0 });
        } else if (pod.status?.phase === 'Pending' && imageOf(pod) !== 'never') {
          await client.for(pods).updateStatus(running(pod, addressOf(count++)));
        }
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
      }
    }
    const see = (pod: Live<Pod>): void => {
      const work = serve(pod);
      pending.add(work);
      void work.finally(() => pending.delete(work));
    };
    informers.for(pods).addHandler({ onAdd: see, onUpdate: see });
    return { stop: async () => void (await Promise.all(pending)) };
  },
};

function addressOf(count: number): string {
  return `10.244.${Math.floor(count / 250) % 250}.${(count % 250) + 1}`;
}

function imageOf({ spec }: Pod): string | undefined {
  return spec.containers[0]?.image;
}

function running(pod: Live<Pod>, podIP: string): Live<Pod> {
  const image = imageOf(pod);
  const phase = image === 'once' ? 'Succeeded' : image === 'broken' ? 'Failed' : 'Running';
  const ready = {
    type: 'Ready',
    status: image === 'unready' ? 'False' : 'True',
    lastTransitionTime: pod.metadata.creationTimestamp,
  };
  return {
    ...pod,
    status: {
      ...pod.status,
      phase,
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: phase === 'Running' ? [ready] : [],
    },
  };
}
