import type { Reconciler } from './reconciler.ts';

/** About half of it is looked at in a hundredth of a millisecond: reconciliations take a small part of the time. */
const OBJECTS_PER_MS = 50;

/**
 * Wakes the owners of objects. One that owns hundreds or thousands is woken after a moment that grows with their number, so
 * that one reconciliation answers to the changes of many of them; one of less than fifty is woken at once.
 */
export class PacedWaking {
  readonly #reconciler: Pick<Reconciler, 'addAfter'>;
  readonly #sizes = new Map<string, number>();

  constructor(reconciler: Pick<Reconciler, 'addAfter'>) {
    this.#reconciler = reconciler;
  }

  /** A reconciliation of `key` has so many objects to look at. */
  observed(key: string, size: number): void {
    if (size < OBJECTS_PER_MS) this.#sizes.delete(key);
    else this.#sizes.set(key, size);
  }

  /** Forgets an owner that is gone. */
  forget(key: string): void {
    this.#sizes.delete(key);
  }

  /** One of the objects of `key` has changed. */
  wake(key: string): void {
    this.#reconciler.addAfter(key, Math.floor((this.#sizes.get(key) ?? 0) / OBJECTS_PER_MS));
  }
}
