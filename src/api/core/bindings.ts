import type { KubeObject } from '../../machinery/object.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { type Binding, bindings as bindingType } from './v1.gen.ts';

/** The old way to bind a pod: the same as a POST to its `binding` subresource. */
export const bindings: ResourceDefinition<Binding> = defineResource<Binding>({
  storage: 'v1',
  versions: { v1: { type: bindingType, schema: 'io.k8s.api.core.v1.Binding' } },
  async review(binding, context) {
    const answer = await context.server.request({
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource: 'binding',
      namespace: context.namespace ?? '',
      name: binding.metadata.name ?? '',
      ...(context.dryRun ? { params: { dryRun: 'All' } } : {}),
      body: binding,
    });
    return answer as KubeObject;
  },
});
