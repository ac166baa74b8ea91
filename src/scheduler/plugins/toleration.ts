import type { Taint, Toleration } from '../../api/core/v1.gen.ts';

/** Whether one of the tolerations covers the taint. */
export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => covers(toleration, taint));
}

function covers(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  const value = toleration.value ?? '';
  switch (toleration.operator) {
    case 'Exists':
      return true;
    case 'Lt':
      return compareIntegers(taint.value, value) < 0;
    case 'Gt':
      return compareIntegers(taint.value, value) > 0;
    default:
      return (taint.value ?? '') === value;
  }
}

/** NaN, which compares as neither, when either is no integer. */
function compareIntegers(a: string | undefined, b: string): number {
  const integer = /^-?\d+$/;
  return a !== undefined && integer.test(a) && integer.test(b) ? Number(BigInt(a) - BigInt(b)) : Number.NaN;
}
