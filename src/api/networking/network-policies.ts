import type { DeepMutable } from '../../machinery/object.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateNetworkPolicy, validateNetworkPolicyUpdate } from './network-policy-validation.ts';
import { type NetworkPolicy, networkpolicies } from './v1.gen.ts';

/** Who may talk to the pods of a namespace, and whom they may talk to. */
export const networkPolicies: ResourceDefinition<NetworkPolicy> = defineResource<NetworkPolicy>({
  storage: 'v1',
  versions: { v1: { type: networkpolicies, schema: 'io.k8s.api.networking.v1.NetworkPolicy', defaults } },
  generation: true,
  validate: validateNetworkPolicy,
  validateUpdate: validateNetworkPolicyUpdate,
  columns: [
    nameColumn(),
    {
      name: 'Pod-Selector',
      type: 'string',
      cell: ({ spec }) => printSelector(selectorFrom(spec.podSelector)) || '<none>',
    },
    ageColumn(),
  ],
});

function defaults(policy: DeepMutable<NetworkPolicy>): void {
  policy.spec ??= {} as typeof policy.spec;
  const { spec } = policy;
  spec.podSelector ??= {};
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  }
  if (!spec.policyTypes?.length) {
    spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
}
