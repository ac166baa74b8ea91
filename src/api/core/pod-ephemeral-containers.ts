import { type FieldError, forbidden } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { withOldMetadata } from './pod-resize.ts';
import { validatePodPart } from './pod-validation.ts';
import { internalCore } from './internal-types.ts';
import { unifiedDiff } from './spec-diff.ts';
import type { Pod } from './v1.gen.ts';

/** Keeps everything of the old pod but the list of ephemeral containers. */
export function takeEphemeralContainers(next: DeepMutable<Pod>, old: Pod): void {
  const list = next.spec.ephemeralContainers;
  next.metadata = withOldMetadata(next, old);
  next.spec = mutableCopy(old.spec);
  next.status = mutableCopy(old.status ?? {});
  if (list) next.spec.ephemeralContainers = list;
  else delete next.spec.ephemeralContainers;
}

/** Ephemeral containers are only added; those that are there stay as they are. */
export function validateEphemeralContainersUpdate(next: Pod, old: Pod): FieldError[] {
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return [forbidden('[]', 'static pods do not support ephemeral containers')];
  }
  const field = 'spec.ephemeralContainers';
  const after = new Map((next.spec.ephemeralContainers ?? []).map((one) => [one.name, one]));
  const kept = (old.spec.ephemeralContainers ?? []).flatMap((before) => {
    const container = after.get(before.name);
    const subject = `existing ephemeral containers "${before.name}" may not be`;
    if (!container) return [forbidden(field, `${subject} removed\n`)];
    if (jsonEqual(container, before)) return [];
    const [shownBefore, shownAfter] = [before, container].map((one) =>
      internalCore('EphemeralContainer', one),
    );
    return [forbidden(field, `${subject} changed\n${unifiedDiff(shownBefore, shownAfter)}`)];
  });
  return [...validatePodPart(next, old), ...kept];
}
