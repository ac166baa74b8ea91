import { pods, type Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { conditionOf, withCondition } from '../../reconcile/conditions.ts';
import type { ControllerContext } from '../../reconcile/controller.ts';
import { isPodReady } from '../pods/pod-state.ts';

/** Says of ready pods that they are not, because their node is not: they get no traffic any more. */
export async function markPodsNotReady(
  context: Pick<ControllerContext, 'client' | 'events' | 'clock'>,
  list: readonly Live<Pod>[],
): Promise<void> {
  const { client, events, clock } = context;
  await Promise.all(list.filter(isPodReady).map(mark));

  async function mark(pod: Live<Pod>): Promise<void> {
    const { namespace = '', name, resourceVersion } = pod.metadata;
    const ready = conditionOf(pod.status?.conditions, 'Ready');
    if (!ready) return;
    const conditions = withCondition(pod.status?.conditions ?? [], {
      ...ready,
      status: 'False',
      lastTransitionTime: timestamp(clock.now()),
    });
    try {
      await client
        .for(pods)
        .patch(
          { namespace, name },
          { metadata: { resourceVersion }, status: { conditions } },
          { type: 'application/merge-patch+json', subresource: 'status' },
        );
      events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
