import {
  pods,
  type ContainerExtendedResourceRequest,
  type Node,
  type Pod,
} from '../../../api/core/v1.gen.ts';
import {
  resourceclaims,
  type AllocationResult,
  type DeviceClass,
  type ResourceClaim,
} from '../../../api/resource/v1.gen.ts';
import type { Draft } from '../../../client/client.ts';
import type { Live } from '../../../machinery/object.ts';
import type { PodInfo } from '../../pod-info.ts';
import { integerQuantity } from '../../resource-amounts.ts';
import type { ClaimToAllocate } from './allocate-devices.ts';
import { bindDeviceClaim, type BindClaimOptions } from './bind-device-claims.ts';
import { parseRequests } from './device-requests.ts';
import type { ExtendedClassLookup } from './extended-classes.ts';
import { extendedRequests } from './extended-requests.ts';
import type { DeviceClaim } from './pod-device-claims.ts';

const annotation = 'resource.kubernetes.io/extended-resource-claim';

/** A claim that is made for a pod's extended resources once it has a node. */
export interface ExtendedClaim extends ClaimToAllocate {
  readonly claim: Draft<ResourceClaim>;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

/** Makes claims for a pod's extended resources, differing by which of them the node advertises. */
export type ExtendedClaims = (node: Node) => ExtendedClaim | undefined;

/** Undefined when no class serves any of the pod's extended resources. */
export function extendedClaims(
  { pod, requests }: PodInfo,
  classOf: ExtendedClassLookup,
): ExtendedClaims | undefined {
  const served = new Map<string, DeviceClass>();
  for (const [resource, amount] of requests.scalars) {
    const found = amount > 0 ? classOf(resource) : undefined;
    if (found) served.set(resource, found);
  }
  if (served.size === 0) return undefined;
  const known = new Map<string, ExtendedClaim>();
  return (node) => {
    const wanted = new Map([...served].filter(([resource]) => !advertises(node, resource)));
    if (wanted.size === 0) return undefined;
    const key = [...wanted.keys()].join();
    let claim = known.get(key);
    if (!claim) known.set(key, (claim = claimFor(pod, wanted)));
    return claim;
  };
}

/** Whether a claim was made for the pod's extended resources in an attempt that failed. */
export function isExtendedClaimOf({ metadata }: DeviceClaim, uid: string): boolean {
  return (
    metadata.annotations?.[annotation] === 'true' &&
    (metadata.ownerReferences ?? []).some((owner) => owner.controller === true && owner.uid === uid)
  );
}

/** Creates the claim with its devices, and says in the pod's status which container uses what of it. */
export async function bindExtendedClaim(
  { claim, mappings }: ExtendedClaim,
  allocation: AllocationResult,
  options: BindClaimOptions & { created(claim: DeviceClaim): void },
): Promise<DeviceClaim> {
  const { client, pod } = options;
  const made = await client.for(resourceclaims).create(claim);
  options.created(made);
  const bound = await bindDeviceClaim(made, allocation, options);
  await client.for(pods).patch(
    { namespace: pod.namespace, name: pod.name },
    {
      metadata: { uid: pod.uid },
      status: {
        extendedResourceClaimStatus: {
          requestMappings: mappings,
          resourceClaimName: bound.metadata.name,
        },
      },
    },
    { type: 'application/strategic-merge-patch+json', subresource: 'status' },
  );
  return bound;
}

function claimFor(pod: Live<Pod>, classes: ReadonlyMap<string, DeviceClass>): ExtendedClaim {
  const { name, namespace, uid } = pod.metadata;
  const { requests, mappings } = extendedRequests(pod, classes);
  const byName = new Map([...classes.values()].map((one) => [one.metadata.name, one]));
  const claim: Draft<ResourceClaim> = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      generateName: `${name}-extended-resources-`,
      ...(namespace !== undefined && { namespace }),
      annotations: { [annotation]: 'true' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
    },
    spec: { devices: { requests } },
  };
  const parsed = parseRequests(claim, (className) => byName.get(className));
  if (typeof parsed === 'string') throw new Error(parsed);
  return { claim, requests: parsed, mappings };
}

function advertises({ status }: Node, resource: string): boolean {
  const text = status?.allocatable?.[resource];
  return text !== undefined && integerQuantity(resource, text) > 0;
}
