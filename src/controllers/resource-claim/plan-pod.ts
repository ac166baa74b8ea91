import type { Pod, PodResourceClaim, PodResourceClaimStatus } from '../../api/core/v1.gen.ts';
import type { ResourceClaim, ResourceClaimTemplate } from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { isPodFinished } from '../pods/pod-state.ts';

/** On a claim made for a pod: for which of the pod's entries. */
const podClaimAnnotation = 'resource.kubernetes.io/pod-claim-name';

/** What is to be done for one entry of a pod's `resourceClaims`. */
export type PodClaimPlan =
  | { readonly do: 'nothing' }
  /** The pod's status should name the claim. */
  | { readonly do: 'tell'; readonly claimName: string }
  | { readonly do: 'create'; readonly claim: ResourceClaim }
  | { readonly do: 'fail'; readonly why: string };

export interface PodClaimObservation {
  readonly pod: Live<Pod>;
  readonly entry: PodResourceClaim;
  /** The claims that the pod owns. */
  readonly owned: readonly Live<ResourceClaim>[];
  template(name: string): Live<ResourceClaimTemplate> | undefined;
}

/** Whether claims may still be made for the pod. */
export function needsClaims(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isPodFinished(pod);
}

/** Decides about an entry that names a template; claims that a pod names itself are made by others. */
export function planPodClaim({ pod, entry, owned, template }: PodClaimObservation): PodClaimPlan {
  const templateName = entry.resourceClaimTemplateName;
  if (templateName === undefined) return { do: 'nothing' };
  const told = statusOf(pod, entry.name);
  const held = owned.find(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined && metadata.annotations?.[podClaimAnnotation] === entry.name,
  );
  if (held) {
    const claimName = held.metadata.name;
    return told?.resourceClaimName === claimName ? { do: 'nothing' } : { do: 'tell', claimName };
  }
  const found = template(templateName);
  if (!found)
    return {
      do: 'fail',
      why: `resource claim template "${templateName}": resourceclaimtemplate.resource.k8s.io "${templateName}" not found`,
    };
  return { do: 'create', claim: claimFrom(found, pod, entry.name) };
}

function statusOf({ status }: Pod, name: string): PodResourceClaimStatus | undefined {
  return status?.resourceClaimStatuses?.find((candidate) => candidate.name === name);
}

/** A generated name has at most 63 characters, five of which are random. */
const longestPrefix = 57;

function claimFrom({ spec }: ResourceClaimTemplate, pod: Live<Pod>, entryName: string): ResourceClaim {
  const { labels, annotations } = spec.metadata ?? {};
  const suffix = `-${entryName}`;
  const base = `${pod.metadata.name.slice(0, Math.max(0, longestPrefix - suffix.length))}${suffix}`;
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      namespace: pod.metadata.namespace ?? '',
      generateName: `${base.slice(0, longestPrefix)}-`,
      annotations: { ...annotations, [podClaimAnnotation]: entryName },
      ...(labels && { labels }),
      ownerReferences: [controllerReference(pod)],
    },
    spec: spec.spec,
  };
}
