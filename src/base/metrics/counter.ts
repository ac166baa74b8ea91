import { labelText, type Sample } from './exposition.ts';

/** One number of a counter or gauge. */
export class Value {
  value = 0;

  add(amount: number = 1): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** Numbers by label values. Holding on to {@link Counter.labels}' answer makes counting a single addition. */
export class Counter {
  readonly #names: readonly string[];
  readonly #values = new Map<string, Value>();

  constructor(names: readonly string[]) {
    this.#names = names;
    if (names.length === 0) this.labels();
  }

  labels(...values: readonly string[]): Value {
    const key = values.join('\0');
    let value = this.#values.get(key);
    if (!value) this.#values.set(key, (value = new Value()));
    return value;
  }

  *samples(): Iterable<Sample> {
    for (const [key, { value }] of this.#values)
      yield { suffix: '', labels: labelText(this.#names, key.split('\0')), value };
  }
}
