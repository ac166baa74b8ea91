import type { Pod } from '../../api/core/v1.gen.ts';
import type { ResourceClient } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { hasTrackingFinalizer, trackingFinalizer } from './job-state.ts';

/** Takes the tracking finalizer from a pod; resolves to what it is then, or undefined when it is gone or has none. */
export async function releasePod(
  client: ResourceClient<Pod>,
  pod: Live<Pod>,
): Promise<Live<Pod> | undefined> {
  if (!hasTrackingFinalizer(pod)) return undefined;
  const { namespace = '', name, uid } = pod.metadata;
  const patch = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } };
  return await unlessGone(
    client.patch({ namespace, name }, patch, { type: 'application/strategic-merge-patch+json' }),
  );
}
