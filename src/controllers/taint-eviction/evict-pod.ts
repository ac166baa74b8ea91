import { pods, type Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { withCondition } from '../../reconcile/conditions.ts';

/** Says on a pod why it is disrupted, and deletes it; a pod that is gone already is no error. */
export async function evictPod(
  client: Client,
  pod: Live<Pod>,
  { reason, message, now }: { readonly reason: string; readonly message: string; readonly now: number },
): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  const conditions = withCondition(pod.status?.conditions ?? [], {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime: timestamp(now),
  });
  try {
    await client
      .for(pods)
      .patch(
        { namespace, name },
        { metadata: { uid }, status: { conditions } },
        { type: 'application/merge-patch+json', subresource: 'status' },
      );
    await client.for(pods).delete({ namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
