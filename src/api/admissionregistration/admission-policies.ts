import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { defaultMatchResources } from './matching-defaults.ts';
import { validatePolicyStatus } from './policy-status-validation.ts';
import { validateMutatingPolicy, validateValidatingPolicy } from './policy-validation.ts';
import {
  type MutatingAdmissionPolicy,
  mutatingadmissionpolicies,
  type ParamKind,
  type ValidatingAdmissionPolicy,
  validatingadmissionpolicies,
} from './v1.gen.ts';

/** Expressions that decide whether a write is allowed. */
export const validatingAdmissionPolicies: ResourceDefinition<ValidatingAdmissionPolicy> =
  defineResource<ValidatingAdmissionPolicy>({
    storage: 'v1',
    versions: {
      v1: {
        type: validatingadmissionpolicies,
        schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
        defaults({ spec }) {
          spec.failurePolicy ??= 'Fail';
          defaultMatchResources(spec.matchConstraints);
        },
      },
    },
    unconditionalUpdate: false,
    generation: true,
    prepareForCreate(policy) {
      policy.status = {};
    },
    prepareForUpdate(next, old) {
      next.status = mutableCopy(old.status ?? {});
    },
    validate: (policy) => validateValidatingPolicy(policy),
    validateUpdate: validateValidatingPolicy,
    status: { validate: validatePolicyStatus },
    columns: [
      nameColumn(),
      { name: 'Validations', type: 'integer', cell: ({ spec }) => spec.validations?.length ?? 0 },
      { name: 'ParamKind', type: 'string', cell: ({ spec }) => printParamKind(spec.paramKind) },
      ageColumn(),
    ],
  });

/** Expressions that change what is written. */
export const mutatingAdmissionPolicies: ResourceDefinition<MutatingAdmissionPolicy> =
  defineResource<MutatingAdmissionPolicy>({
    storage: 'v1',
    upstreamStorage: 'v1beta1',
    versions: {
      v1: {
        type: mutatingadmissionpolicies,
        schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy',
        defaults({ spec }) {
          spec.failurePolicy ??= 'Fail';
          defaultMatchResources(spec.matchConstraints);
        },
      },
    },
    unconditionalUpdate: false,
    generation: true,
    validate: (policy) => validateMutatingPolicy(policy),
    validateUpdate: validateMutatingPolicy,
    columns: [
      nameColumn(),
      { name: 'Mutations', type: 'integer', cell: ({ spec }) => spec.mutations?.length ?? 0 },
      { name: 'ParamKind', type: 'string', cell: ({ spec }) => printParamKind(spec.paramKind) },
      ageColumn(),
    ],
  });

function printParamKind(kind: ParamKind | undefined): string {
  return kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>';
}
