/** The object without the members that Go's `omitempty` leaves out: zero, the empty string, `undefined`, empty lists. */
export function omitZero<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept = Object.entries(value).filter(
    ([, member]) =>
      member !== undefined &&
      member !== 0 &&
      member !== '' &&
      !(Array.isArray(member) && member.length === 0),
  );
  return Object.fromEntries(kept) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
