import type { ServedResource } from '../client/discovery.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../machinery/object.ts';
import type { Informer, InformerFactory } from '../reconcile/informer.ts';
import { staticInformers } from '../reconcile/static-informers.ts';

/** Informers of a server that may not serve every kind: those that it does not are empty and never change. */
export function servedInformers(
  informers: InformerFactory,
  served: readonly ServedResource[],
): InformerFactory {
  const known = new Set(served.map(({ type }) => keyOf(type)));
  const empty = staticInformers([]);
  return {
    for<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
      return (known.has(keyOf(type)) ? informers : empty).for(type);
    },
    start: () => informers.start(),
    synced: () => informers.synced(),
    stop: () => informers.stop(),
  };
}

function keyOf(type: {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}): string {
  return `${apiVersionOf(type)}/${type.resource}`;
}
