import type { DeviceTaint, DeviceToleration, ResourceClaim } from '../../api/resource/v1.gen.ts';

/** Which device a claim was given. */
export interface DeviceName {
  readonly driver: string;
  readonly pool: string;
  readonly device: string;
}

/**
 * When pods that use a claim have to go because of `NoExecute` taints of its devices, in milliseconds since the epoch;
 * undefined when they may stay. A taint without a time counts from `now`.
 */
export function evictionTime(
  { status }: ResourceClaim,
  taintsOf: (name: DeviceName) => readonly DeviceTaint[],
  now: number,
): number | undefined {
  const times = (status?.allocation?.devices?.results ?? []).flatMap((result) =>
    taintsOf(result)
      .filter(({ effect }) => effect === 'NoExecute')
      .map((taint) => toleratedUntil(taint, result.tolerations ?? [], now)),
  );
  const first = Math.min(Number.POSITIVE_INFINITY, ...times);
  return Number.isFinite(first) ? first : undefined;
}

function toleratedUntil(taint: DeviceTaint, tolerations: readonly DeviceToleration[], now: number): number {
  const since = taint.timeAdded === undefined ? now : Date.parse(taint.timeAdded);
  const matching = tolerations.filter((toleration) => covers(toleration, taint));
  if (matching.length === 0) return since;
  const seconds = matching.map(({ tolerationSeconds }) => tolerationSeconds ?? Number.POSITIVE_INFINITY);
  return since + Math.max(0, Math.min(...seconds)) * 1000;
}

function covers({ key, effect, operator, value }: DeviceToleration, taint: DeviceTaint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
}
