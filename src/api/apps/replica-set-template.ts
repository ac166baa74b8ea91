import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import type { LabelSelector } from '../../machinery/meta/v1.gen.ts';
import {
  selectorFrom,
  selectorMatches,
  validateLabelSelector,
} from '../../machinery/selectors/label-selector.ts';
import { validatePodTemplate } from '../core/pod-spec/validate-pod-template.ts';
import type { PodTemplateSpec } from '../core/v1.gen.ts';

/** The selector of a workload, which must select something. */
export function validateWorkloadSelector(selector: LabelSelector | undefined): FieldError[] {
  if (!selector) return [required('spec.selector')];
  const errors = validateLabelSelector(selector, 'spec.selector');
  const size = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length;
  if (size > 0) return errors;
  return [...errors, invalid('spec.selector', selector, 'empty selector is invalid for deployment')];
}

/** A template of pods that replica sets keep running, and that their selector selects. */
export function validateReplicatedTemplate(
  template: PodTemplateSpec,
  selector: LabelSelector | undefined,
): FieldError[] {
  if (validateLabelSelector(selector, '').length > 0) {
    return [invalid('spec.selector', selector, 'invalid label selector')];
  }
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (!selectorMatches(selectorFrom(selector), labels ?? {})) {
    errors.push(
      invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`'),
    );
  }
  errors.push(...validatePodTemplate(template, 'spec.template'));
  const policy = template.spec.restartPolicy ?? '';
  if (policy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  }
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in ReplicaSet is not Supported';
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
  return errors;
}
