import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import type { DaemonSet } from './v1.gen.ts';

/** The annotation that shows the number. */
export const templateGenerationKey = 'deprecated.daemonset.template.generation';

/** The number of a daemon set's template, which v1 shows as an annotation. Throws BadRequest when it is no number. */
function templateGeneration({ metadata }: DaemonSet): bigint {
  const text = metadata.annotations?.[templateGenerationKey];
  if (text === undefined) return 0n;
  if (/^[+-]?[0-9]+$/.test(text)) return BigInt(text);
  throw newBadRequest(
    `DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

function set(daemonSet: DeepMutable<DaemonSet>, value: bigint): void {
  daemonSet.metadata.annotations = {
    ...daemonSet.metadata.annotations,
    [templateGenerationKey]: String(value),
  };
}

/** Shows the number even where there is none yet. */
export function showTemplateGeneration(daemonSet: DeepMutable<DaemonSet>): void {
  if (daemonSet.metadata.annotations?.[templateGenerationKey] === undefined) set(daemonSet, 0n);
}

/** Numbers the template of a new daemon set. */
export function startTemplateGeneration(daemonSet: DeepMutable<DaemonSet>): void {
  const given = templateGeneration(daemonSet);
  set(daemonSet, given < 1n ? 1n : given);
}

/** Counts a changed template; clients cannot set the number themselves. */
export function countTemplateGeneration(next: DeepMutable<DaemonSet>, old: DaemonSet): void {
  templateGeneration(next);
  const before = templateGeneration(old);
  set(next, jsonEqual(next.spec.template, old.spec.template) ? before : before + 1n);
}

/** Keeps the number that the stored daemon set has. */
export function keepTemplateGeneration(next: DeepMutable<DaemonSet>, old: DaemonSet): void {
  set(next, templateGeneration(old));
}
