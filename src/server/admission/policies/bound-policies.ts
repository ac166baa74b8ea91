import type { MatchResources, ParamKind, ParamRef } from '../../../api/admissionregistration/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../../machinery/object.ts';
import type { StatusError } from '../../../machinery/status-error.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';
import type { Lookup } from '../lookup.ts';
import { matchedVersion } from '../matching/request-rules.ts';
import { namespaceSelected, objectSelected } from '../matching/request-selectors.ts';

/** What both kinds of policies have. */
export interface PolicyObject extends KubeObject {
  readonly spec: {
    readonly failurePolicy?: 'Fail' | 'Ignore';
    readonly paramKind?: ParamKind;
    readonly matchConstraints?: MatchResources;
  };
}

/** What both kinds of bindings have. */
export interface BindingObject extends KubeObject {
  readonly spec: {
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
  };
}

/** A policy with everything that binds it, both by name. */
export interface BoundPolicy<P, B> {
  readonly policy: Live<P>;
  readonly bindings: readonly Live<B>[];
}

/** All policies of a kind that something binds, by name; made anew when any of the objects changed. */
export function boundPolicies<P extends PolicyObject, B extends BindingObject>(
  lookup: Lookup,
  policyType: ResourceType<P>,
  bindingType: ResourceType<B>,
): () => readonly BoundPolicy<P, B>[] {
  let seen: readonly object[] = [];
  let bound: readonly BoundPolicy<P, B>[] = [];
  return () => {
    const policies = [...lookup.list(policyType)];
    const bindings = policies.length === 0 ? [] : [...lookup.list(bindingType)];
    const current = [...policies, ...bindings];
    if (current.length === seen.length && current.every((object, index) => object === seen[index]))
      return bound;
    seen = current;
    bound = policies
      .toSorted(byName)
      .map((policy) => ({
        policy,
        bindings: bindings.filter(({ spec }) => spec.policyName === policy.metadata.name).toSorted(byName),
      }))
      .filter((candidate) => candidate.bindings.length > 0);
    return bound;
  };
}

function byName(a: KubeObject, b: KubeObject): number {
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

/** The version of the request that constraints match; undefined when they do not, an error when that cannot be told. */
export function matchedBy(
  lookup: Lookup,
  request: AdmissionRequest,
  constraints: MatchResources | undefined,
): AdmissionVersion | StatusError | undefined {
  if (!constraints) return request.versions[0];
  const { namespaceSelector, objectSelector, matchPolicy } = constraints;
  const { resourceRules = [], excludeResourceRules = [] } = constraints;
  const inNamespace = namespaceSelected(namespaceSelector, request, lookup);
  if (inNamespace === false || !objectSelected(objectSelector, request)) return undefined;
  if (matchedVersion(request, excludeResourceRules, matchPolicy)) return undefined;
  const target =
    resourceRules.length === 0 ? request.versions[0] : matchedVersion(request, resourceRules, matchPolicy);
  if (!target) return undefined;
  return inNamespace === true ? target : inNamespace;
}
