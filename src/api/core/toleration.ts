import type { Taint, Toleration } from './v1.gen.ts';

/** Whether one of the tolerations covers the taint. */
export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => tolerationCovers(toleration, taint));
}

/** Whether no taint keeps the pod off the node; `PreferNoSchedule` never does. */
export function toleratesAll(
  tolerations: readonly Toleration[] | undefined,
  taints: readonly Taint[] | undefined,
): boolean {
  return (taints ?? []).every(
    (taint) => taint.effect === 'PreferNoSchedule' || tolerates(tolerations, taint),
  );
}

/** Whether a toleration is for the taint. As 1.36 does by default: the operators `Lt` and `Gt` cover nothing. */
export function tolerationCovers(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  switch (toleration.operator || 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return (taint.value ?? '') === (toleration.value ?? '');
    default:
      return false;
  }
}
