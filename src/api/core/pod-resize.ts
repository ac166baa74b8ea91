import { type FieldError, forbidden, invalid } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { podQos } from './pod-spec/pod-qos.ts';
import { validatePodPart } from './pod-validation.ts';
import type { Container, Pod, ResourceRequirements } from './v1.gen.ts';

type Lists = 'containers' | 'initContainers';
const resizable = new Set(['cpu', 'memory']);

/** The old metadata, but for what optimistic locking needs of the request. */
export function withOldMetadata(next: DeepMutable<Pod>, old: Pod): DeepMutable<Pod['metadata']> {
  const metadata = mutableCopy(old.metadata);
  const { resourceVersion, uid } = next.metadata;
  return { ...metadata, ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) };
}

/** Keeps everything of the old pod but the pod's and its containers' resources and resize policies. */
export function takeResize(next: DeepMutable<Pod>, old: Pod): void {
  const resized = next.spec;
  next.metadata = withOldMetadata(next, old);
  next.spec = mutableCopy(old.spec);
  next.status = mutableCopy(old.status ?? {});
  if (resized.resources) next.spec.resources = resized.resources;
  else delete next.spec.resources;
  for (const list of ['containers', 'initContainers'] as const) {
    const before = old.spec[list] ?? [];
    const after = resized[list] ?? [];
    const same =
      after.length === before.length && after.every(({ name }, index) => name === before[index]?.name);
    if (!same) {
      next.spec[list] = after;
      continue;
    }
    for (const [index, container] of (next.spec[list] ?? []).entries()) {
      const { resources, resizePolicy } = after[index] ?? {};
      container.resources = resources ?? {};
      if (resizePolicy) container.resizePolicy = resizePolicy;
      else delete container.resizePolicy;
    }
  }
}

function removed(
  next: ResourceRequirements | undefined,
  old: ResourceRequirements | undefined,
  side: 'limits' | 'requests',
): boolean {
  return Object.keys(old?.[side] ?? {}).some((name) => next?.[side]?.[name] === undefined);
}

function fixedResources(container: Container): unknown {
  const keep = (list: Readonly<Record<string, string>> | undefined): unknown =>
    Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => !resizable.has(name)));
  const { limits, requests, ...rest } = container.resources ?? {};
  return { ...container, resources: { ...rest, limits: keep(limits), requests: keep(requests) } };
}

function validateList(list: Lists, next: Pod, old: Pod): FieldError[] {
  return (old.spec[list] ?? []).flatMap((before, index) => {
    const after = next.spec[list]?.[index] ?? before;
    const at = `spec.${list}[${index}].resources`;
    const errors: FieldError[] = [];
    for (const side of ['requests', 'limits'] as const) {
      if (removed(after.resources, before.resources, side)) {
        errors.push(forbidden(`${at}.${side}`, `resource ${side} cannot be removed`));
      }
    }
    if (!jsonEqual(fixedResources(after), fixedResources(before))) {
      errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
    }
    return errors;
  });
}

/** Everything wrong with a change of a running pod's resources, in upstream's order. */
export function validateResize(next: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return [forbidden('[]', 'static pods cannot be resized')];
  }
  if (old.spec.os?.name === 'windows') return [forbidden('[]', 'windows pods cannot be resized')];
  for (const list of ['containers', 'initContainers'] as const) {
    if ((next.spec[list] ?? []).length !== (old.spec[list] ?? []).length) {
      return [forbidden(`spec.${list}`, 'containers may not be added or removed on resize')];
    }
  }
  const errors = validatePodPart(next, old);
  const before = old.status?.qosClass ?? podQos(old.spec);
  if (podQos(next.spec) !== before) {
    errors.push(invalid('spec', before, 'Pod QOS Class may not change as a result of resizing'));
  }
  return [...errors, ...validateList('initContainers', next, old), ...validateList('containers', next, old)];
}
