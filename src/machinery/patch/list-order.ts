/** Names an element of a list: its merge key's value, or the element itself in a list of scalars. */
export type Identify = (element: unknown) => unknown;

/**
 * The elements in the order that a strategic merge patch gives them: those named in `patchOrder` follow it, the
 * others keep the order of `serverOrder`, and an element of the patch stands as early as both orders allow.
 *
 *     server: a b c   patch: d b        → d a b c
 *     server: a b c   patch: c a        → c a b
 */
export function mergedOrder(
  elements: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  identify: Identify,
): unknown[] {
  const patchRank = ranks(patchOrder, identify);
  const serverRank = ranks(serverOrder, identify);
  const named = elements.filter((element) => patchRank.has(identify(element)));
  const others = elements.filter((element) => !patchRank.has(identify(element)));
  const left = ordered(others, serverRank, identify);
  const right = ordered(named, patchRank, identify);
  const result: unknown[] = [];
  while (left.length > 0 && right.length > 0) {
    const a = serverRank.get(identify(left[0]));
    const b = serverRank.get(identify(right[0]));
    const leftFirst = a !== undefined && b !== undefined && a < b;
    result.push((leftFirst ? left : right).shift());
  }
  return [...result, ...left, ...right];
}

function ranks(order: readonly unknown[], identify: Identify): Map<unknown, number> {
  return new Map(order.map((element, index): [unknown, number] => [identify(element), index]).reverse());
}

function ordered(elements: unknown[], rank: ReadonlyMap<unknown, number>, identify: Identify): unknown[] {
  const place = (element: unknown): number => rank.get(identify(element)) ?? rank.size;
  return elements.toSorted((a, b) => place(a) - place(b));
}
