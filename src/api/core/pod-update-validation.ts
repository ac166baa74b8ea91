import { type FieldError, forbidden, invalid, required } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { rangeMessage } from '../../machinery/validation/names.ts';
import { validateGatedChanges } from './pod-gates.ts';
import { validateImageBlanks } from './pod-spec/validate-containers.ts';
import { validateTolerations } from './pod-spec/validate-scheduling.ts';
import { internalCore } from './internal-types.ts';
import { unifiedDiff } from './spec-diff.ts';
import type { Container, Pod, PodSpec, Toleration } from './v1.gen.ts';

const maxInt32 = 2_147_483_647;

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',');

function validateImages(containers: readonly Container[], field: string): FieldError[] {
  return containers.flatMap((container, index) => [
    ...(container.image ? [] : [required(`${field}[${index}].image`)]),
    ...validateImageBlanks(container, `${field}[${index}]`),
  ]);
}

/** What an update changed about the deadline that it may not; `last` errors end the validation. */
function validateDeadline(next: PodSpec, old: PodSpec): { errors: FieldError[]; last: boolean } {
  const field = 'spec.activeDeadlineSeconds';
  const before = old.activeDeadlineSeconds;
  const after = next.activeDeadlineSeconds;
  if (after === undefined) {
    if (before === undefined) return { errors: [], last: false };
    const detail = 'must not update from a positive integer to nil value';
    return { errors: [invalid(field, null, detail)], last: false };
  }
  if (after < 0 || after > maxInt32) {
    return { errors: [invalid(field, after, rangeMessage(0, maxInt32))], last: true };
  }
  if (before !== undefined && before < after) {
    return { errors: [invalid(field, after, 'must be less than or equal to previous value')], last: true };
  }
  return { errors: [], last: false };
}

function withoutSeconds(toleration: Toleration): unknown {
  return { ...toleration, tolerationSeconds: undefined };
}

function validateAddedTolerations(next: PodSpec, old: PodSpec): FieldError[] {
  const after = next.tolerations ?? [];
  const kept = (old.tolerations ?? []).every((toleration) =>
    after.some((other) => jsonEqual(withoutSeconds(toleration), withoutSeconds(other))),
  );
  if (!kept) {
    const detail = 'existing toleration can not be modified except its tolerationSeconds';
    return [forbidden('spec.tolerations', detail)];
  }
  return validateTolerations(after, 'spec.tolerations');
}

function validateRemovedGates(next: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set((old.schedulingGates ?? []).map(({ name }) => name));
  return (next.schedulingGates ?? []).flatMap(({ name }, index) => {
    if (before.has(name)) return [];
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [forbidden(`spec.schedulingGates[${index}].name`, detail)];
  });
}

function sameImages(next: DeepMutable<Container>[] | undefined, old: readonly Container[] | undefined): void {
  for (const [index, container] of (next ?? []).entries()) {
    const image = old?.[index]?.image;
    if (image === undefined) delete container.image;
    else container.image = image;
  }
}

/** The spec with everything taken back that an update may change. */
function withoutAllowedChanges(next: PodSpec, old: PodSpec): DeepMutable<PodSpec> {
  const spec = mutableCopy(next);
  const before = mutableCopy(old);
  sameImages(spec.containers, old.containers);
  sameImages(spec.initContainers, old.initContainers);
  for (const name of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'] as const) delete spec[name];
  if (before.activeDeadlineSeconds !== undefined) spec.activeDeadlineSeconds = before.activeDeadlineSeconds;
  if (before.schedulingGates) spec.schedulingGates = before.schedulingGates;
  if (before.tolerations) spec.tolerations = before.tolerations;
  const grace = before.terminationGracePeriodSeconds;
  if (grace !== undefined && grace < 0 && spec.terminationGracePeriodSeconds === 1) {
    spec.terminationGracePeriodSeconds = grace;
  }
  return spec;
}

/** Everything that an update of a pod may not change, in upstream's order. */
export function validatePodChanges(next: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  for (const list of ['containers', 'initContainers'] as const) {
    const after = next.spec[list] ?? [];
    if (after.length !== (old.spec[list] ?? []).length) {
      return [...errors, forbidden(`spec.${list}`, 'pod updates may not add or remove containers')];
    }
    errors.push(...validateImages(after, `spec.${list}`));
  }
  const deadline = validateDeadline(next.spec, old.spec);
  errors.push(...deadline.errors);
  if (deadline.last) return errors;
  errors.push(...validateAddedTolerations(next.spec, old.spec), ...validateRemovedGates(next.spec, old.spec));
  const spec = withoutAllowedChanges(next.spec, old.spec);
  if (old.spec.schedulingGates?.length) errors.push(...validateGatedChanges(spec, old.spec));
  if (jsonEqual(spec, old.spec)) return errors;
  const diff = unifiedDiff(internalCore('PodSpec', old.spec), internalCore('PodSpec', spec));
  const detail = `pod updates may not change fields other than ${updatable}\n${diff}`;
  return [...errors, forbidden('spec', detail)];
}
