import { RulesetChange, type RulesetPart } from './ruleset.ts';

interface Held<T> {
  readonly owners: Map<string, T>;
}

/**
 * Parts of a table that several owners put together. What several have in common is there once, until the last lets go; of
 * an element to which they give different values, the last given holds.
 */
export class SharedRuleset {
  readonly #table: string;
  readonly #parts = new Map<string, RulesetPart>();
  readonly #sets = new Ledger<string>();
  readonly #chains = new Ledger<readonly string[]>();
  readonly #elements = new Ledger<string>();

  /** `table` with its family: `inet kanoe-ab12cd`. */
  constructor(table: string) {
    this.#table = table;
  }

  /** Replaces what an owner adds; `undefined`: nothing. */
  set(owner: string, part: RulesetPart | undefined): void {
    const before = this.#parts.get(owner);
    if (part) this.#parts.set(owner, part);
    else this.#parts.delete(owner);
    this.#sets.replace(owner, before?.sets, part?.sets);
    this.#chains.replace(owner, before?.chains, part?.chains);
    this.#elements.replace(owner, before?.elements, part?.elements);
  }

  /** Whether nobody adds anything. */
  get isEmpty(): boolean {
    return this.#sets.size + this.#chains.size + this.#elements.size === 0;
  }

  /** The commands for everything that changed since the last call. */
  takeCommands(): readonly string[] {
    const sets = this.#sets.takeChange();
    const chains = this.#chains.takeChange();
    const elements = this.#elements.takeChange();
    const change = new RulesetChange(this.#table);
    change.replace(
      { sets: sets.before, chains: chains.before, elements: elements.before },
      { sets: sets.after, chains: chains.after, elements: elements.after },
    );
    return change.commands;
  }

  /** The commands that fill an empty table. */
  get allCommands(): readonly string[] {
    const change = new RulesetChange(this.#table);
    change.replace(
      { sets: new Map(), chains: new Map(), elements: new Map() },
      { sets: this.#sets.all(), chains: this.#chains.all(), elements: this.#elements.all() },
    );
    return change.commands;
  }
}

/** Values by name, each with those who hold it. */
class Ledger<T> {
  readonly #held = new Map<string, Held<T>>();
  /** What was in force for the names that changed since. */
  #before = new Map<string, T | undefined>();

  get size(): number {
    return this.#held.size;
  }

  replace(
    owner: string,
    before: ReadonlyMap<string, T> | undefined,
    after: ReadonlyMap<string, T> | undefined,
  ): void {
    for (const name of before?.keys() ?? []) if (!after?.has(name)) this.#release(owner, name);
    for (const [name, value] of after ?? []) if (before?.get(name) !== value) this.#hold(owner, name, value);
  }

  takeChange(): { readonly before: Map<string, T>; readonly after: Map<string, T> } {
    const before = new Map<string, T>();
    const after = new Map<string, T>();
    for (const [name, value] of this.#before) {
      if (value !== undefined) before.set(name, value);
      const now = this.#value(name);
      if (now !== undefined) after.set(name, now);
    }
    this.#before = new Map();
    return { before, after };
  }

  all(): ReadonlyMap<string, T> {
    const all = new Map<string, T>();
    for (const name of this.#held.keys()) {
      const value = this.#value(name);
      if (value !== undefined) all.set(name, value);
    }
    return all;
  }

  #hold(owner: string, name: string, value: T): void {
    this.#remember(name);
    const owners = this.#held.get(name)?.owners ?? new Map<string, T>();
    owners.delete(owner);
    this.#held.set(name, { owners: owners.set(owner, value) });
  }

  #release(owner: string, name: string): void {
    this.#remember(name);
    const owners = this.#held.get(name)?.owners;
    owners?.delete(owner);
    if (owners?.size === 0) this.#held.delete(name);
  }

  #value(name: string): T | undefined {
    const owners = this.#held.get(name)?.owners;
    return owners && [...owners.values()].at(-1);
  }

  #remember(name: string): void {
    if (!this.#before.has(name)) this.#before.set(name, this.#value(name));
  }
}
