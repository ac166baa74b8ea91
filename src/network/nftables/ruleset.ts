/** A part of an nftables table, by name; rules and definitions are in nft's own words. */
export interface RulesetPart {
  /** Set definitions: `type ipv4_addr; flags dynamic, timeout; timeout 10s;`. */
  readonly sets: ReadonlyMap<string, string>;
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Elements by `map key`, with their values (empty in sets): `service-addresses 10.96.0.1 . tcp . 443` → `goto …`. */
  readonly elements: ReadonlyMap<string, string>;
}

export const emptyPart: RulesetPart = { sets: new Map(), chains: new Map(), elements: new Map() };

/** nft commands that turn parts of a table into others, in stages that keep every reference valid when all parts are changed at once. */
export class RulesetChange {
  readonly #table: string;
  readonly #add: string[] = [];
  readonly #rules: string[] = [];
  readonly #remove = new Map<string, string[]>();
  readonly #insert = new Map<string, string[]>();
  readonly #empty: string[] = [];
  readonly #drop: string[] = [];

  /** `table` with its family: `ip kanoe-ab12cd`. */
  constructor(table: string) {
    this.#table = table;
  }

  replace(before: RulesetPart, after: RulesetPart): void {
    const table = this.#table;
    for (const [name, definition] of after.sets)
      if (before.sets.get(name) !== definition) this.#add.push(`add set ${table} ${name} { ${definition} }`);
    for (const [name, rules] of after.chains) {
      const old = before.chains.get(name);
      if (!old) this.#add.push(`add chain ${table} ${name}`);
      else if (sameLines(old, rules)) continue;
      else this.#rules.push(`flush chain ${table} ${name}`);
      for (const rule of rules) this.#rules.push(`add rule ${table} ${name} ${rule}`);
    }
    for (const [element, value] of before.elements)
      if (after.elements.get(element) !== value) collect(this.#remove, element, '');
    for (const [element, value] of after.elements)
      if (before.elements.get(element) !== value) collect(this.#insert, element, value);
    for (const name of before.chains.keys()) {
      if (after.chains.has(name)) continue;
      this.#empty.push(`flush chain ${table} ${name}`);
      this.#drop.push(`delete chain ${table} ${name}`);
    }
    for (const name of before.sets.keys())
      if (!after.sets.has(name)) this.#drop.push(`delete set ${table} ${name}`);
  }

  /** The commands in order; empty when nothing changes. */
  get commands(): readonly string[] {
    return [
      ...this.#add,
      ...this.#rules,
      ...this.#elements('delete', this.#remove),
      ...this.#elements('add', this.#insert),
      ...this.#empty,
      ...this.#drop,
    ];
  }

  #elements(verb: string, elements: ReadonlyMap<string, readonly string[]>): readonly string[] {
    return [...elements].map(([set, own]) => `${verb} element ${this.#table} ${set} { ${own.join(', ')} }`);
  }
}

/** `service-addresses 10.96.0.1 . tcp . 443` goes to the elements of `service-addresses`. */
function collect(sets: Map<string, string[]>, element: string, value: string): void {
  const space = element.indexOf(' ');
  const set = element.slice(0, space);
  const text = `${element.slice(space + 1)}${value === '' ? '' : ` : ${value}`}`;
  const known = sets.get(set);
  if (known) known.push(text);
  else sets.set(set, [text]);
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, at) => line === b[at]);
}
