import { pods, type Pod } from '../../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ControllerContext } from '../../reconcile/controller.ts';
import type { OwnWrites } from '../../reconcile/own-writes.ts';
import { objectKey } from '../../reconcile/reconciler.ts';
import { isNamespaceTerminating } from '../../reconcile/namespace-terminating.ts';
import { messageOf } from './refusal.ts';

/** Creates and deletes the pods of owners, with upstream's events. */
export interface PodWriter {
  /** Throws what the server refuses, but for a namespace that is going: nothing can be done there. */
  create(owner: Live<KubeObject>, pod: Pod): Promise<void>;
  /** Does nothing when the pod is gone already. */
  delete(owner: Live<KubeObject>, pod: Live<Pod>): Promise<void>;
}

/** A writer that tells `ownWrites` what the pod cache has yet to see, by the owner's key. */
export function podWriter({ client, events }: ControllerContext, ownWrites: OwnWrites): PodWriter {
  const podClient = client.for(pods);
  return {
    async create(owner, draft) {
      try {
        const pod = await podClient.create(draft);
        ownWrites.wrote(objectKey(owner), pod);
        events.record(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      } catch (error) {
        if (isNamespaceTerminating(error)) return;
        events.record(owner, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
        throw error;
      }
    },
    async delete(owner, pod) {
      const { namespace = '', name, uid } = pod.metadata;
      try {
        await podClient.delete({ namespace, name }, { preconditions: { uid } });
      } catch (error) {
        if (isStatus(error, 'NotFound')) return;
        // Another pod has the name by now: the cache will know soon.
        if (isStatus(error, 'Conflict')) throw error;
        events.record(owner, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
        throw error;
      }
      ownWrites.deleted(objectKey(owner), pod);
      events.record(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
    },
  };
}
