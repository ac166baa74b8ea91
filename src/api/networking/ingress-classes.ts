import { type FieldError, forbidden, notSupported, required, tooLong } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { dns1123LabelErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateDomainPrefixedPath } from '../validation/domain-path.ts';
import { validateReference } from './ingress-validation.ts';
import { type IngressClass, type IngressClassParametersReference, ingressclasses } from './v1.gen.ts';

const MAX_CONTROLLER = 250;
const scopes = ['Cluster', 'Namespace'];

/** Which controller serves an ingress. */
export const ingressClasses: ResourceDefinition<IngressClass> = defineResource<IngressClass>({
  storage: 'v1',
  versions: { v1: { type: ingressclasses, schema: 'io.k8s.api.networking.v1.IngressClass', defaults } },
  generation: true,
  validate: validateClass,
  validateUpdate: (next, old) => [
    ...validateImmutable(next.spec.controller, old.spec.controller, 'spec.controller'),
    ...validateClass(next),
  ],
  columns: [
    nameColumn(),
    { name: 'Controller', type: 'string', cell: ({ spec }) => spec.controller ?? '' },
    { name: 'Parameters', type: 'string', cell: ({ spec }) => printParameters(spec.parameters) },
    ageColumn(),
  ],
});

function defaults(ingressClass: DeepMutable<IngressClass>): void {
  ingressClass.spec ??= {};
  const { parameters } = ingressClass.spec;
  if (parameters) parameters.scope ??= 'Cluster';
}

function printParameters(parameters: IngressClassParametersReference | undefined): string {
  if (!parameters) return '<none>';
  const { apiGroup, kind, name } = parameters;
  return apiGroup === undefined ? `${kind}/${name}` : `${kind}.${apiGroup}/${name}`;
}

function validateClass({ spec }: IngressClass): FieldError[] {
  const { controller = '', parameters } = spec;
  const errors: FieldError[] = [];
  if (controller === '') errors.push(required('spec.controller'));
  else {
    if (Buffer.byteLength(controller) > MAX_CONTROLLER)
      errors.push(tooLong('spec.controller', MAX_CONTROLLER));
    errors.push(...validateDomainPrefixedPath(controller, 'spec.controller'));
  }
  return parameters ? [...errors, ...validateParameters(parameters)] : errors;
}

function validateParameters(parameters: IngressClassParametersReference): FieldError[] {
  const path = 'spec.parameters';
  const { scope, namespace } = parameters;
  const errors = validateReference(parameters, path);
  if (scope === undefined) return [...errors, required(`${path}.scope`)];
  if (!scopes.includes(scope)) return [...errors, notSupported(`${path}.scope`, scope, scopes)];
  if (scope === 'Namespace' && namespace === undefined) {
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else if (scope === 'Namespace' && namespace !== undefined) {
    errors.push(...invalidEach(`${path}.namespace`, namespace, dns1123LabelErrors(namespace)));
  } else if (namespace !== undefined) {
    errors.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}
