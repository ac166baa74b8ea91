import { type FieldError, invalid, notSupported, required, tooLong } from '../../machinery/field-error.ts';
import {
  selectorFrom,
  selectorMatches,
  validateLabelSelector,
} from '../../machinery/selectors/label-selector.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { internalCore } from '../core/internal-types.ts';
import { invalidEach, nonNegative } from '../core/pod-spec/invalid-each.ts';
import { validatePodTemplate } from '../core/pod-spec/validate-pod-template.ts';
import { internalPolicy } from './internal-policies.ts';
import { validateFailurePolicy, validateSuccessPolicy } from './job-policies.ts';
import { generatedLabels } from './job-selector.ts';
import { isWaiting, withAllowedChanges } from './suspended-template.ts';
import type { Job, JobSpec, JobTemplateSpec } from './v1.gen.ts';

const manyCompletions = 100_000;
const fewPods = 10_000;

function validateGeneratedSelector(job: Job): FieldError[] {
  const { spec } = job;
  if (spec.manualSelector || !spec.selector) return [];
  const field = 'spec.template.metadata.labels';
  const labels = spec.template.metadata?.labels ?? {};
  const expected = generatedLabels(job);
  const errors = Object.entries(expected).flatMap(([key, value]) => {
    if (labels[key] === value) return [];
    const detail = `must be '${value}'`;
    return labels[key] === undefined
      ? [required(`${field}[${key}]`, detail)]
      : [invalid(`${field}[${key}]`, labels, detail)];
  });
  if (validateLabelSelector(spec.selector, '').length > 0) return errors;
  if (selectorMatches(selectorFrom(spec.selector), expected)) return errors;
  return [...errors, invalid('spec.selector', spec.selector, '`selector` not auto-generated')];
}

function validateManager(manager: string | undefined): FieldError[] {
  const field = 'spec.managedBy';
  if (manager === undefined) return [];
  if (!manager) return [required(field)];
  const [domain = '', ...rest] = manager.split('/');
  const path = rest.join('/');
  const errors: FieldError[] = [];
  if (!domain || !path) {
    errors.push(invalid(field, manager, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else errors.push(...invalidEach(field, domain, dns1123SubdomainErrors(domain)));
  if (manager.length > 63) errors.push(tooLong(field, 63));
  return errors;
}

function validateIndexed(spec: JobSpec): FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  if (completions === undefined) {
    errors.push(required('spec.completions', 'when completion mode is Indexed'));
  }
  if (parallelism > manyCompletions) {
    const detail = `must be less than or equal to ${manyCompletions} when completion mode is Indexed`;
    errors.push(invalid('spec.parallelism', parallelism, detail));
  }
  if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions) {
    errors.push(
      invalid('spec.maxFailedIndexes', maxFailedIndexes, 'must be less than or equal to completions'),
    );
  }
  if (maxFailedIndexes !== undefined && maxFailedIndexes > manyCompletions) {
    const detail = `must be less than or equal to ${manyCompletions}`;
    errors.push(invalid('spec.maxFailedIndexes', maxFailedIndexes, detail));
  }
  if ((completions ?? 0) <= manyCompletions || backoffLimitPerIndex === undefined) return errors;
  if (maxFailedIndexes === undefined) {
    errors.push(
      required('spec.maxFailedIndexes', `must be specified when completions is above ${manyCompletions}`),
    );
  }
  if (parallelism > fewPods) {
    const detail = `must be less than or equal to ${fewPods} when completions are above ${manyCompletions} and used with backoff limit per index`;
    errors.push(invalid('spec.parallelism', parallelism, detail));
  }
  if ((maxFailedIndexes ?? 0) > fewPods) {
    const detail = `must be less than or equal to ${fewPods} when completions is above ${manyCompletions}`;
    errors.push(invalid('spec.maxFailedIndexes', maxFailedIndexes, detail));
  }
  return errors;
}

function validateCompletionMode(spec: JobSpec): FieldError[] {
  const mode: string | undefined = spec.completionMode;
  const errors: FieldError[] = [];
  if (mode !== undefined && !['NonIndexed', 'Indexed'].includes(mode)) {
    errors.push(notSupported('spec.completionMode', mode, ['NonIndexed', 'Indexed']));
  }
  if (mode === 'Indexed') errors.push(...validateIndexed(spec));
  else if (spec.backoffLimitPerIndex !== undefined) {
    const detail = 'requires indexed completion mode';
    errors.push(invalid('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, detail));
  }
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required('spec.backoffLimitPerIndex', 'when maxFailedIndexes is specified'));
  }
  return errors;
}

function validateReplacementPolicy(spec: JobSpec): FieldError[] {
  const policy: string | undefined = spec.podReplacementPolicy;
  if (policy === undefined) return [];
  const supported = spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'];
  return supported.includes(policy) ? [] : [notSupported('spec.podReplacementPolicy', policy, supported)];
}

function validateRestartPolicy(spec: JobSpec): FieldError[] {
  const field = 'spec.template.spec.restartPolicy';
  const policy: string = spec.template.spec.restartPolicy ?? '';
  if (!policy || policy === 'Always') return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== 'OnFailure' && policy !== 'Never') {
    return [notSupported(field, policy, ['OnFailure', 'Never'])];
  }
  if (!spec.podFailurePolicy || policy === 'Never') return [];
  return [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}

const counters = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const;

/** What a job's spec gets wrong beside its selector, at the paths of a job. */
function validateUnselected(spec: JobSpec): FieldError[] {
  return [
    ...counters.flatMap((name) => nonNegative(`spec.${name}`, spec[name] ?? 0)),
    ...validateManager(spec.managedBy),
    ...validateCompletionMode(spec),
    ...(spec.podFailurePolicy ? validateFailurePolicy(spec, 'spec.podFailurePolicy') : []),
    ...validateSuccessPolicy(spec, 'spec.successPolicy'),
    ...validateReplacementPolicy(spec),
    ...validatePodTemplate(spec.template, 'spec.template'),
    ...validateRestartPolicy(spec),
  ];
}

/** Everything wrong with the template of jobs at this path; their selector is always generated. */
export function validateJobTemplate({ spec }: JobTemplateSpec, field: string): FieldError[] {
  const errors = validateUnselected(spec).map((error) => ({ ...error, field: `${field}.${error.field}` }));
  const { selector, manualSelector } = spec;
  if (selector) {
    errors.push(invalid(`${field}.spec.selector`, selector, '`selector` will be auto-generated'));
  }
  if (manualSelector) {
    errors.push(notSupported(`${field}.spec.manualSelector`, manualSelector, ['nil', 'false']));
  }
  return errors;
}

function validateJobSpec(spec: JobSpec): FieldError[] {
  const labels = spec.template.metadata?.labels;
  const selectorErrors = spec.selector
    ? validateLabelSelector(spec.selector, 'spec.selector')
    : [required('spec.selector')];
  const valid = !spec.selector || selectorErrors.length === 0;
  const mismatch =
    valid && !selectorMatches(selectorFrom(spec.selector), labels ?? {})
      ? [invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
      : [];
  return [...validateUnselected(spec), ...selectorErrors, ...mismatch];
}

function validatePodNames({ metadata, spec }: Job): FieldError[] {
  if (spec.completionMode !== 'Indexed' || !spec.completions || spec.completions <= 0) return [];
  const pod = `${metadata.name}-${spec.completions - 1}`;
  if (dns1123LabelErrors(pod).length === 0) return [];
  const detail = `will not able to create pod with invalid DNS label: ${pod}`;
  return [invalid('metadata.name', metadata.name, detail)];
}

/** Everything wrong with a job to create, in upstream's order. */
export function validateJob(job: Job): FieldError[] {
  return [...validateGeneratedSelector(job), ...validateJobSpec(job.spec), ...validatePodNames(job)];
}

function validateCompletions(next: JobSpec, old: JobSpec): FieldError[] {
  if (next.completions === old.completions) return [];
  const field = 'spec.completions';
  if (next.completionMode !== 'Indexed') return [invalid(field, next.completions, 'field is immutable')];
  if (next.completions === next.parallelism) return [];
  return [invalid(field, next.completions, 'can only be modified in tandem with spec.parallelism')];
}

/** Everything wrong with an update of a job, in upstream's order; what a spec gets wrong is reported twice, as upstream does. */
export function validateJobUpdate(next: Job, old: Job): FieldError[] {
  const { template } = next.spec;
  const before = isWaiting(old) ? withAllowedChanges(old.spec.template, template) : old.spec.template;
  return [
    ...validateJob(next),
    ...validateJobSpec(next.spec),
    ...validateCompletions(next.spec, old.spec),
    ...validateImmutable(next.spec.selector, old.spec.selector, 'spec.selector'),
    ...fixed(template, before, { field: 'spec.template', show: showTemplate }),
    ...validateImmutable(next.spec.completionMode, old.spec.completionMode, 'spec.completionMode'),
    ...fixed(next.spec.podFailurePolicy, old.spec.podFailurePolicy, {
      field: 'spec.podFailurePolicy',
      show: (policy) => internalPolicy('PodFailurePolicy', policy),
    }),
    ...(['backoffLimitPerIndex', 'managedBy'] as const).flatMap((name) =>
      validateImmutable(next.spec[name], old.spec[name], `spec.${name}`),
    ),
    ...fixed(next.spec.successPolicy, old.spec.successPolicy, {
      field: 'spec.successPolicy',
      show: (policy) => internalPolicy('SuccessPolicy', policy),
    }),
  ];
}

const showTemplate = (template: object): object => internalCore('PodTemplateSpec', template);

function fixed(
  next: object | undefined,
  old: object | undefined,
  { field, show }: { readonly field: string; show(value: object): object },
): FieldError[] {
  return jsonEqual(next, old) ? [] : [invalid(field, next && show(next), 'field is immutable')];
}
