import { replicasets, statefulsets } from '../../api/apps/v1.gen.ts';
import { replicationcontrollers, services, type Pod, type Service } from '../../api/core/v1.gen.ts';
import {
  selectorFrom,
  selectorFromMap,
  selectorMatches,
  type Requirement,
  type Selector,
} from '../../machinery/selectors/label-selector.ts';
import type { InformerFactory } from '../../reconcile/informer.ts';

/**
 * Finds what default spread constraints count for a pod: the pods that all the Services in front of it and its
 * controller select together. Without requirements when there are none.
 */
export function defaultSpreadSelector(informers: InformerFactory): (pod: Pod) => Selector {
  const serviceCache = informers.for(services);
  const controllerCache = informers.for(replicationcontrollers);
  const replicaSetCache = informers.for(replicasets);
  const statefulSetCache = informers.for(statefulsets);
  const parsed = new WeakMap<Service, Selector>();
  const selectorOf = (service: Service): Selector => {
    let selector = parsed.get(service);
    if (!selector) parsed.set(service, (selector = selectorFromMap(service.spec?.selector ?? {})));
    return selector;
  };
  return ({ metadata }) => {
    const { namespace, labels, ownerReferences = [] } = metadata;
    const requirements: Requirement[] = [];
    for (const service of serviceCache.list(namespace)) {
      const selector = selectorOf(service);
      if (selector.requirements.length > 0 && selectorMatches(selector, labels))
        requirements.push(...selector.requirements);
    }
    const owner = ownerReferences.find(({ controller }) => controller);
    if (owner)
      requirements.push(...(selectorOfOwner(owner.apiVersion, owner.kind, owner.name)?.requirements ?? []));
    return { requirements };

    function selectorOfOwner(apiVersion: string, kind: string, name: string): Selector | undefined {
      switch (`${apiVersion}/${kind}`) {
        case 'v1/ReplicationController': {
          const owner = controllerCache.get(namespace, name);
          return owner && selectorFromMap(owner.spec?.selector);
        }
        case 'apps/v1/ReplicaSet': {
          const owner = replicaSetCache.get(namespace, name);
          return owner && selectorFrom(owner.spec?.selector);
        }
        case 'apps/v1/StatefulSet': {
          const owner = statefulSetCache.get(namespace, name);
          return owner && selectorFrom(owner.spec?.selector);
        }
        default:
          return undefined;
      }
    }
  };
}
