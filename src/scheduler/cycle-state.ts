/** Names what one plug-in keeps in a {@link CycleState}, with its type: `const counts = stateKey<Counts>('…')`. */
export interface StateKey<T> {
  readonly name: string;
  /** Never set; carries the type. */
  readonly value?: T;
}

export function stateKey<T>(name: string): StateKey<T> {
  return { name };
}

/**
 * What plug-ins keep between the extension points of one attempt to place one pod. Nothing is cloned for dry runs:
 * whoever tries out additions and removals of pods puts everything back, so `addPod` after `removePod` of the same pod
 * (and the other way round) must leave a plug-in's state as it was.
 */
export class CycleState {
  readonly #values = new Map<StateKey<unknown>, unknown>();
  /** Plug-ins whose PreFilter returned Skip: their Filter is not asked. */
  readonly skippedFilters: Set<string> = new Set();
  /** Plug-ins whose PreScore returned Skip: their Score is not asked. */
  readonly skippedScores: Set<string> = new Set();

  read<T>(key: StateKey<T>): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  write<T>(key: StateKey<T>, value: T): void {
    this.#values.set(key, value);
  }

  delete(key: StateKey<unknown>): void {
    this.#values.delete(key);
  }
}
