import { baselineControls } from './baseline-controls.ts';
import type { CheckedPod, Control, PodCheck, Violation } from './check.ts';
import type { LevelVersion } from './policy.ts';
import { restrictedControls } from './restricted-controls.ts';

function inForce({ since }: Control, minor: number): PodCheck | undefined {
  return since.findLast(([from]) => from <= minor)?.[1];
}

/** The checks of each level and version, in the order of their messages. */
export function createEvaluator(): (pod: CheckedPod, level: LevelVersion) => Violation[] {
  const baseline = baselineControls();
  const restricted = restrictedControls();
  const chosen = new Map<string, readonly PodCheck[]>();

  function checksOf({ level, minor = Number.POSITIVE_INFINITY }: LevelVersion): readonly PodCheck[] {
    const key = `${level} ${minor}`;
    const known = chosen.get(key);
    if (known) return known;
    const stricter = level === 'restricted' ? restricted.filter((one) => inForce(one, minor)) : [];
    const overridden = new Set(stricter.map(({ overrides }) => overrides));
    const controls = [...baseline.filter(({ id }) => !overridden.has(id)), ...stricter];
    const checks = controls.flatMap((control) => inForce(control, minor) ?? []);
    chosen.set(key, checks);
    return checks;
  }

  return (pod, level) =>
    level.level === 'privileged' ? [] : checksOf(level).flatMap((check) => check(pod) ?? []);
}

/** `reason (detail), reason (detail)`. */
export function printDetails(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => (detail ? `${reason} (${detail})` : reason)).join(', ');
}

/** `reason, reason`. */
export function printReasons(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(', ');
}
