import { deployments, replicasets, statefulsets } from '../../api/apps/v1.gen.ts';
import { replicationcontrollers } from '../../api/core/v1.gen.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ControllerContext } from '../../reconcile/controller.ts';
import type { Informer } from '../../reconcile/informer.ts';
import { controllerOf } from '../../reconcile/owner.ts';
import { createScaledKinds, type ScaledKinds } from '../scale/scaled-kinds.ts';
import type { ControllerScale } from './plan.ts';

interface Replicated extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

/** Finds how many pods the controllers of pods want. */
export interface ControllerScales {
  readonly caches: readonly Informer<Replicated>[];
  /** Undefined when the controller is not there. */
  of(reference: OwnerReference, namespace: string): Promise<ControllerScale | undefined>;
}

/** Reads the kinds that are watched anyway from their caches, and the scale of all others from the server. */
export function createControllerScales({ client, informers }: ControllerContext): ControllerScales {
  const kinds = createScaledKinds(client);
  const cacheOf = <T extends Replicated>(type: ResourceType<T>): Informer<Replicated> => informers.for(type);
  const caches = [deployments, replicasets, statefulsets, replicationcontrollers].map(
    (type: ResourceType<Replicated>) => cacheOf(type),
  );

  return {
    caches,
    async of(reference, namespace) {
      const owner = find(reference, namespace);
      if (!owner) return isWatched(reference) ? undefined : await scaleOf(kinds, reference, namespace);
      const above = owner.kind === 'ReplicaSet' ? controllerOf(owner) : undefined;
      if (above?.kind !== 'Deployment') return scale(owner);
      const deployment = find(above, namespace);
      return deployment && scale(deployment);
    },
  };

  function cacheFor({ apiVersion, kind }: OwnerReference): Informer<Replicated> | undefined {
    const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
    return caches.find(({ type }) => type.kind === kind && type.group === group);
  }

  function isWatched(reference: OwnerReference): boolean {
    return cacheFor(reference) !== undefined;
  }

  function find(reference: OwnerReference, namespace: string): Live<Replicated> | undefined {
    const found = cacheFor(reference)?.get(namespace, reference.name);
    return found?.metadata.uid === reference.uid ? found : undefined;
  }
}

function scale({ metadata, spec }: Live<Replicated>): ControllerScale {
  return { uid: metadata.uid, replicas: spec?.replicas ?? 0 };
}

async function scaleOf(
  kinds: ScaledKinds,
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
): Promise<ControllerScale | undefined> {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const resource = await kinds.resourceOf({ group, version, kind });
  if (!resource)
    return {
      problem: `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`,
    };
  try {
    const { metadata, spec } = await kinds.get(resource, namespace, name);
    return metadata.uid === uid ? { uid, replicas: spec.replicas ?? 0 } : undefined;
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
    if (resource.scales) return undefined;
    const qualified = group === '' ? resource.resource : `${resource.resource}.${group}`;
    return { problem: `${qualified} does not implement the scale subresource` };
  }
}
