import { pods } from '../../api/core/v1.gen.ts';
import { createBackoff } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import { StatusError, isStatus } from '../../machinery/status-error.ts';
import type { Handle, PluginFactory } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';

const name = 'DefaultBinder';

/**
 * Binds pods through the API's `binding` subresource. A call whose outcome is not known is repeated until it is, so that
 * a node is never taken for free while a binding to it may have been stored.
 */
export const defaultBinder: PluginFactory = {
  name,
  create: (handle) => ({
    name,
    async bind(_state, pod, nodeName) {
      await bind(handle, pod, nodeName);
      return undefined;
    },
  }),
};

async function bind({ client, clock, signal }: Handle, pod: PodInfo, nodeName: string): Promise<void> {
  const { namespace, name: podName, uid } = pod;
  const podClient = client.for(pods);
  const backoff = createBackoff({ baseMs: 100, maxMs: 5000 });
  for (let repeated = false; ; repeated = true) {
    try {
      await podClient.createSubresource({ namespace, name: podName }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name: podName, uid },
        target: { kind: 'Node', name: nodeName },
      });
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (!isUnknown(error)) {
        if (!repeated || !isStatus(error, 'Conflict')) throw error;
        const found = await podClient.get({ namespace, name: podName });
        if (found.metadata.uid === uid && found.spec.nodeName === nodeName) return;
        throw error;
      }
      await sleep(clock, backoff.next(), signal);
    }
  }
}

/** Whether the server may or may not have done what was asked. */
function isUnknown(error: unknown): boolean {
  return !(error instanceof StatusError) || error.status.code === undefined || error.status.code >= 500;
}
