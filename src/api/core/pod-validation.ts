import { type FieldError, forbidden } from '../../machinery/field-error.ts';
import { validateAnnotationChanges, validatePodAnnotations } from './pod-annotations.ts';
import { validateImageBlanks } from './pod-spec/validate-containers.ts';
import { validatePodSpec } from './pod-spec/validate-pod-spec.ts';
import { validatePodChanges } from './pod-update-validation.ts';
import type { Pod } from './v1.gen.ts';

function validateTokens({ spec }: Pod): FieldError[] {
  if (spec.serviceAccountName) return [];
  return (spec.volumes ?? []).flatMap((volume, index) =>
    (volume.projected?.sources ?? []).flatMap((source, position) => {
      if (!source.serviceAccountToken) return [];
      const field = `spec.volumes[${index}].projected.sources[${position}].serviceAccountToken`;
      return [forbidden(field, 'must not be specified when serviceAccountName is not set')];
    }),
  );
}

/** What creating and updating a pod have in common. */
function validateWhole(pod: Pod): FieldError[] {
  const { metadata, spec } = pod;
  const where = { of: 'pod', ...(metadata.name ? { podName: metadata.name } : {}) } as const;
  return [
    ...validatePodAnnotations(metadata, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', where),
    ...validateTokens(pod),
    ...(['containers', 'initContainers'] as const).flatMap((list) =>
      (spec[list] ?? []).flatMap((container, index) =>
        validateImageBlanks(container, `spec.${list}[${index}]`),
      ),
    ),
  ];
}

/** Everything wrong with a pod to create, in upstream's order. */
export function validatePod(pod: Pod): FieldError[] {
  const errors = validateWhole(pod);
  const { spec } = pod;
  if (spec.ephemeralContainers?.length) {
    errors.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (spec.nodeName && spec.schedulingGates?.length) {
    errors.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'));
  }
  return errors;
}

/** Everything wrong with an update of a pod, in upstream's order. */
export function validatePodUpdate(next: Pod, old: Pod): FieldError[] {
  return [
    ...validateWhole(next),
    ...validateAnnotationChanges(next.metadata, old.metadata),
    ...validatePodChanges(next, old),
  ];
}

/** What an update of one part of a pod (its ephemeral containers, its resources) must keep valid. */
export function validatePodPart(next: Pod, old: Pod): FieldError[] {
  return [...validateWhole(next), ...validateAnnotationChanges(next.metadata, old.metadata)];
}
