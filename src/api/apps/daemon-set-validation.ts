import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import type { LabelSelector } from '../../machinery/meta/v1.gen.ts';
import {
  selectorFrom,
  selectorMatches,
  validateLabelSelector,
} from '../../machinery/selectors/label-selector.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { validatePodTemplate } from '../core/pod-spec/validate-pod-template.ts';
import { amountOf, validateAtMostAll, validateCount } from './count-or-percent.ts';
import type { DaemonSet, DaemonSetSpec, RollingUpdateDaemonSet } from './v1.gen.ts';

function validateSelector(spec: DaemonSetSpec): FieldError[] {
  const selector: LabelSelector | undefined = spec.selector;
  const errors = validateLabelSelector(selector, 'spec.selector');
  const labels = spec.template.metadata?.labels;
  if (errors.length === 0 && !selectorMatches(selectorFrom(selector), labels ?? {})) {
    const detail = '`selector` does not match template `labels`';
    errors.push(invalid('spec.template.metadata.labels', labels, detail));
  }
  const size = Object.keys(selector?.matchLabels ?? {}).length + (selector?.matchExpressions ?? []).length;
  if (selector && size === 0) {
    errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'));
  }
  return errors;
}

function validateTemplate({ template }: DaemonSetSpec): FieldError[] {
  const errors = validatePodTemplate(template, 'spec.template');
  const policy = template.spec.restartPolicy ?? '';
  if (policy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  }
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in DaemonSet is not Supported';
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
  return errors;
}

function validateRollingUpdate({ maxUnavailable, maxSurge }: RollingUpdateDaemonSet): FieldError[] {
  const field = 'spec.updateStrategy.rollingUpdate';
  const errors = [
    ...validateCount(maxUnavailable, `${field}.maxUnavailable`),
    ...validateCount(maxSurge, `${field}.maxSurge`),
    ...validateAtMostAll(maxUnavailable, `${field}.maxUnavailable`),
    ...validateAtMostAll(maxSurge, `${field}.maxSurge`),
  ];
  const unavailable = amountOf(maxUnavailable) !== 0;
  const surge = amountOf(maxSurge) !== 0;
  if (unavailable && surge) {
    errors.push(invalid(`${field}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
  if (!unavailable && !surge) {
    errors.push(required(`${field}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
  return errors;
}

function validateUpdateStrategy({ updateStrategy }: DaemonSetSpec): FieldError[] {
  const field = 'spec.updateStrategy';
  const type: string = updateStrategy?.type ?? '';
  const rolling = updateStrategy?.rollingUpdate;
  if (type === 'OnDelete') return [];
  if (type === 'RollingUpdate') {
    return rolling ? validateRollingUpdate(rolling) : [required(`${field}.rollingUpdate`)];
  }
  const shown = {
    Type: type,
    RollingUpdate: rolling
      ? { MaxUnavailable: rolling.maxUnavailable ?? 0, MaxSurge: rolling.maxSurge ?? 0 }
      : null,
  };
  return [notSupported(field, shown, ['RollingUpdate', 'OnDelete'])];
}

/** Everything wrong with a daemon set, in upstream's order. */
export function validateDaemonSet({ spec }: DaemonSet): FieldError[] {
  return [
    ...validateSelector(spec),
    ...validateTemplate(spec),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds ?? 0),
    ...validateUpdateStrategy(spec),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit ?? 0),
  ];
}

const counters = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
] as const;

/** Everything wrong with the status of a daemon set. */
export function validateDaemonSetStatus({ status }: DaemonSet, old: DaemonSet): FieldError[] {
  const errors = counters.flatMap((name) => nonNegative(`status.${name}`, status?.[name] ?? 0));
  const before = old.status?.collisionCount;
  if (before !== undefined && (status?.collisionCount ?? -1) < before) {
    errors.push(invalid('status.collisionCount', status?.collisionCount ?? 0, 'cannot be decremented'));
  }
  return errors;
}
