import { type FieldError, forbidden } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { validateAnnotations, validateLabels } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateClaimSpec } from './device-claim-validation.ts';
import { defaultClaimSpec, unchangedSpec } from './resource-claims.ts';
import { type ResourceClaimTemplate, resourceclaimtemplates } from './v1.gen.ts';

/** Claims of which every pod gets one of its own. */
export const resourceClaimTemplates: ResourceDefinition<ResourceClaimTemplate> =
  defineResource<ResourceClaimTemplate>({
    storage: 'v1',
    versions: {
      v1: {
        type: resourceclaimtemplates,
        schema: 'io.k8s.api.resource.v1.ResourceClaimTemplate',
        defaults,
      },
    },
    returnsDeleted: true,
    validate: validateTemplate,
    validateUpdate: (next, old) => unchangedSpec(next.spec, old.spec, 'ResourceClaimTemplateSpec'),
    columns: [nameColumn(), ageColumn()],
  });

function defaults(template: DeepMutable<ResourceClaimTemplate>): void {
  template.spec ??= { spec: { devices: { requests: [] } } };
  template.spec.spec ??= { devices: { requests: [] } };
  defaultClaimSpec(template.spec.spec);
}

function validateTemplate({ spec }: ResourceClaimTemplate): FieldError[] {
  const { labels, annotations, ...rest } = spec.metadata ?? {};
  return [
    ...validateAnnotations(annotations, 'spec.metadata.annotations'),
    ...validateLabels(labels, 'spec.metadata.labels'),
    ...Object.keys(rest).map((name) => forbidden(`spec.metadata.${name}`, 'cannot be set')),
    ...validateClaimSpec(spec.spec, 'spec.spec'),
  ];
}
