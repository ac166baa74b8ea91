import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import type { Eviction } from '../policy/v1.gen.ts';
import type { StrategyContext } from '../resource.ts';
import type { Pod } from './v1.gen.ts';

/** Deletes the pod on behalf of who drains its node. Throws as a deletion does. */
export async function evictPod(
  pod: Live<Pod>,
  body: DeepMutable<KubeObject>,
  context: StrategyContext,
): Promise<unknown> {
  const { metadata, deleteOptions } = body as DeepMutable<Eviction>;
  const { name, namespace = '' } = pod.metadata;
  if (metadata.name && metadata.name !== name) {
    throw newBadRequest('name in URL does not match name in Eviction object');
  }
  const dryRun = context.dryRun || Boolean(deleteOptions?.dryRun?.length);
  await context.server.request({
    verb: 'delete',
    group: '',
    version: 'v1',
    resource: 'pods',
    namespace,
    name,
    ...(dryRun ? { params: { dryRun: 'All' } } : {}),
    body: { ...deleteOptions, kind: 'DeleteOptions', apiVersion: 'v1' },
  });
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
