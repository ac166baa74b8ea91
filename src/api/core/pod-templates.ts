import type { FieldError } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { dropDisabledFields } from './pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from './pod-spec/pod-defaults.ts';
import { podSpecWarnings } from './pod-spec/pod-warnings.ts';
import { validatePodTemplate } from './pod-spec/validate-pod-template.ts';
import { type PodTemplate, type PodTemplateSpec, podtemplates as podTemplateType } from './v1.gen.ts';
import { templateColumns } from './workload-columns.ts';

const noTemplate: PodTemplateSpec = { spec: { containers: [] } };

function defaultTemplate(object: DeepMutable<PodTemplate>): void {
  object.template ??= { spec: { containers: [] } };
  defaultPodTemplate(object.template);
}

function validate({ template }: PodTemplate): FieldError[] {
  return validatePodTemplate(template ?? noTemplate, 'template');
}

function labels({ template }: PodTemplate): string {
  const pairs = Object.entries(template?.metadata?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.sort().join(',') || '<none>';
}

/** Pod templates: descriptions of pods for others to use. */
export const podTemplates: ResourceDefinition<PodTemplate> = defineResource<PodTemplate>({
  storage: 'v1',
  versions: {
    v1: { type: podTemplateType, schema: 'io.k8s.api.core.v1.PodTemplate', defaults: defaultTemplate },
  },
  generation: true,
  returnsDeleted: true,
  generationChanged: (next, old) => !jsonEqual(next.template, old.template),
  prepareForCreate({ template }, context) {
    if (template) dropDisabledFields(template.spec, context);
  },
  prepareForUpdate({ template }, _old, context) {
    if (template) dropDisabledFields(template.spec, context);
  },
  validate,
  validateUpdate: (next) => validate(next),
  warnings: ({ template = noTemplate }, old) =>
    old && jsonEqual(template, old.template) ? [] : podSpecWarnings(template.spec, 'template.spec'),
  columns: [
    nameColumn(),
    ...templateColumns<PodTemplate>({ template: ({ template }) => template, selector: () => undefined })
      .slice(0, 2)
      .map(({ priority: _priority, ...column }) => column),
    { name: 'Pod Labels', type: 'string', cell: labels },
  ],
});
