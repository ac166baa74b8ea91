/** Orders two resource versions of one server: negative when `a` is older. An empty one is oldest. */
export function compareResourceVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
