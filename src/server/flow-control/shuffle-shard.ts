import { createHash } from 'node:crypto';

/** A hash of the flow that a request belongs to. */
export function flowHash(schema: string, distinguisher: string): bigint {
  return createHash('sha256').update(`${schema}\0${distinguisher}`).digest().readBigUInt64BE();
}

/** Deals `handSize` different cards of a deck of `deckSize`, always the same ones for one hash. */
export function dealHand(hash: bigint, deckSize: number, handSize: number): number[] {
  const hand: number[] = [];
  let rest = hash;
  for (let dealt = 0; dealt < Math.min(handSize, deckSize); dealt++) {
    const remaining = BigInt(deckSize - dealt);
    let card = Number(rest % remaining);
    rest /= remaining;
    // The card's number counts only those that are still in the deck.
    for (const taken of hand.toSorted((a, b) => a - b)) if (taken <= card) card++;
    hand.push(card);
  }
  return hand;
}
