import { printGoSelector } from '../../machinery/selectors/print-go-selector.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateMutatingBinding, validateValidatingBinding } from './binding-validation.ts';
import { defaultMatchResources } from './matching-defaults.ts';
import {
  type MutatingAdmissionPolicyBinding,
  mutatingadmissionpolicybindings,
  type ParamRef,
  type ValidatingAdmissionPolicyBinding,
  validatingadmissionpolicybindings,
} from './v1.gen.ts';

/** Says for what a validating policy holds, with which parameters, and what happens when it fails. */
export const validatingAdmissionPolicyBindings: ResourceDefinition<ValidatingAdmissionPolicyBinding> =
  defineResource<ValidatingAdmissionPolicyBinding>({
    storage: 'v1',
    versions: {
      v1: {
        type: validatingadmissionpolicybindings,
        schema: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
        defaults: ({ spec }) => defaultMatchResources(spec.matchResources),
      },
    },
    unconditionalUpdate: false,
    generation: true,
    validate: validateValidatingBinding,
    validateUpdate: validateValidatingBinding,
    columns: [
      nameColumn(),
      { name: 'PolicyName', type: 'string', cell: ({ spec }) => spec.policyName ?? '' },
      { name: 'ParamRef', type: 'string', cell: ({ spec }) => printParamRef(spec.paramRef) },
      ageColumn(),
    ],
  });

/** Says for what a mutating policy holds, and with which parameters. */
export const mutatingAdmissionPolicyBindings: ResourceDefinition<MutatingAdmissionPolicyBinding> =
  defineResource<MutatingAdmissionPolicyBinding>({
    storage: 'v1',
    upstreamStorage: 'v1beta1',
    versions: {
      v1: {
        type: mutatingadmissionpolicybindings,
        schema: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
        defaults: ({ spec }) => defaultMatchResources(spec.matchResources),
      },
    },
    unconditionalUpdate: false,
    generation: true,
    validate: validateMutatingBinding,
    validateUpdate: validateMutatingBinding,
    columns: [
      nameColumn(),
      { name: 'PolicyName', type: 'string', cell: ({ spec }) => spec.policyName ?? '' },
      { name: 'ParamRef', type: 'string', cell: ({ spec }) => printParamRef(spec.paramRef) },
      ageColumn(),
    ],
  });

function printParamRef(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`;
  return ref?.selector ? printGoSelector(ref.selector) : '<unset>';
}
