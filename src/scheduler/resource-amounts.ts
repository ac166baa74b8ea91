import { parseQuantity, quantityMilliValue, quantityValue } from '../machinery/quantity.ts';

/** Amounts of resources as integers: CPU in thousandths, everything else in whole units. */
export interface ResourceAmounts {
  readonly milliCpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  /** Extended resources, huge pages and attachable volumes by name. */
  readonly scalars: ReadonlyMap<string, number>;
}

/** {@link ResourceAmounts} to add to and take from. */
export interface ResourceSum extends ResourceAmounts {
  milliCpu: number;
  memory: number;
  ephemeralStorage: number;
  /** Shared while it is empty: to be changed through this file only. */
  scalars: ReadonlyMap<string, number>;
}

export type QuantityList = Readonly<Record<string, string>>;

const none: ReadonlyMap<string, number> = new Map();

export const NOTHING_REQUESTED: ResourceAmounts = {
  milliCpu: 0,
  memory: 0,
  ephemeralStorage: 0,
  scalars: none,
};

export function emptySum(): ResourceSum {
  return { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: none };
}

/** Reads a resource list; `pods` is left out, it is no amount that pods ask for. */
export function amountsOf(list: QuantityList | undefined): ResourceSum {
  const sum = emptySum();
  for (const name in list) {
    const text = list[name];
    if (text !== undefined && name !== 'pods') setAmount(sum, name, integerQuantity(name, text));
  }
  return sum;
}

/** The amount of a resource by its name. */
export function amountOf(amounts: ResourceAmounts, name: string): number {
  switch (name) {
    case 'cpu':
      return amounts.milliCpu;
    case 'memory':
      return amounts.memory;
    case 'ephemeral-storage':
      return amounts.ephemeralStorage;
    default:
      return amounts.scalars.get(name) ?? 0;
  }
}

export function setAmount(sum: ResourceSum, name: string, amount: number): void {
  switch (name) {
    case 'cpu':
      sum.milliCpu = amount;
      break;
    case 'memory':
      sum.memory = amount;
      break;
    case 'ephemeral-storage':
      sum.ephemeralStorage = amount;
      break;
    default:
      setScalar(sum, name, amount);
  }
}

function setScalar(sum: ResourceSum, name: string, amount: number): void {
  if (sum.scalars === none) sum.scalars = new Map([[name, amount]]);
  else (sum.scalars as Map<string, number>).set(name, amount);
}

/** Adds `amounts` to `sum`, or takes them away. */
export function accumulate(sum: ResourceSum, amounts: ResourceAmounts, sign: 1 | -1): void {
  sum.milliCpu += sign * amounts.milliCpu;
  sum.memory += sign * amounts.memory;
  sum.ephemeralStorage += sign * amounts.ephemeralStorage;
  if (amounts.scalars.size === 0) return;
  for (const [name, amount] of amounts.scalars) {
    setScalar(sum, name, (sum.scalars.get(name) ?? 0) + sign * amount);
  }
}

/** Raises each amount of `sum` to at least that of `amounts`. */
export function raise(sum: ResourceSum, amounts: ResourceAmounts): void {
  sum.milliCpu = Math.max(sum.milliCpu, amounts.milliCpu);
  sum.memory = Math.max(sum.memory, amounts.memory);
  sum.ephemeralStorage = Math.max(sum.ephemeralStorage, amounts.ephemeralStorage);
  for (const [name, amount] of amounts.scalars) {
    setScalar(sum, name, Math.max(sum.scalars.get(name) ?? 0, amount));
  }
}

/** A quantity as an integer of the unit in which {@link ResourceAmounts} hold the resource, rounded up. */
export function integerQuantity(name: string, text: string): number {
  const plain = plainQuantity.exec(text);
  if (plain) {
    const [, digits = '', suffix = ''] = plain;
    const factor = name === 'cpu' ? cpuFactors[suffix] : unitFactors[suffix];
    const amount = Number(digits) * (factor ?? Number.NaN);
    if (Number.isSafeInteger(amount)) return amount;
  }
  const quantity = parseQuantity(text);
  return Number(name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity));
}

/** The forms that nearly all quantities have; others take the long way. */
const plainQuantity = /^(\d{1,12})(m|Ki|Mi|Gi|k|M|G)?$/;

const unitFactors: Readonly<Record<string, number>> = {
  '': 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9,
};

const cpuFactors: Readonly<Record<string, number>> = { '': 1000, m: 1, k: 1e6 };
