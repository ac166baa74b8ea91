import { type FieldError, forbidden } from '../../../machinery/field-error.ts';
import { validateAnnotations, validateLabels } from '../../../machinery/validation/object-meta.ts';
import { validatePodAnnotations } from '../pod-annotations.ts';
import type { PodTemplateSpec } from '../v1.gen.ts';
import { validatePodSpec } from './validate-pod-spec.ts';

/** Everything wrong with the template of a workload's pods, in upstream's order and with its paths. */
export function validatePodTemplate(template: PodTemplateSpec, field: string): FieldError[] {
  const { metadata, spec } = template;
  const ephemeral = spec.ephemeralContainers?.length
    ? [forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template')]
    : [];
  return [
    ...validateLabels(metadata?.labels, `${field}.labels`),
    ...validateAnnotations(metadata?.annotations, `${field}.annotations`),
    ...validatePodAnnotations(metadata, spec, `${field}.annotations`),
    ...validatePodSpec(spec, `${field}.spec`, { of: 'template' }),
    ...ephemeral,
  ];
}
