import type { ListOptions, ResourceClient } from '../client/client.ts';
import type { KubeObject } from '../machinery/object.ts';

/** A client whose lists and watches see only what the selection lets through. */
export function selecting<T extends KubeObject>(
  resource: ResourceClient<T>,
  selection: Pick<ListOptions, 'namespace' | 'fieldSelector' | 'labelSelector'>,
): ResourceClient<T> {
  return {
    ...resource,
    list: (options) => resource.list({ ...options, ...selection }),
    watch: (options) => resource.watch({ ...options, ...selection }),
  };
}
