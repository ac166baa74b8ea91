import { parseQuantity } from '../../../machinery/quantity.ts';
import type { DeviceId, DevicePool, PooledDevice } from './device-pools.ts';

/** Counters that the devices of a pool share (partitionable devices, KEP-4815), less what is taken. */
export class SharedCounters {
  readonly #left = new Map<DevicePool, Map<string, bigint>>();
  readonly #allocated: ReadonlySet<DeviceId>;

  constructor(allocated: ReadonlySet<DeviceId>) {
    this.#allocated = allocated;
  }

  /** Takes what the device consumes; false, and nothing is taken, when there is not enough. */
  take(device: PooledDevice): boolean {
    const left = this.#of(device.pool);
    const wanted = consumed(device);
    if (wanted.some(([counter, amount]) => (left.get(counter) ?? 0n) < amount)) return false;
    for (const [counter, amount] of wanted) left.set(counter, (left.get(counter) ?? 0n) - amount);
    return true;
  }

  giveBack(device: PooledDevice): void {
    const left = this.#of(device.pool);
    for (const [counter, amount] of consumed(device)) left.set(counter, (left.get(counter) ?? 0n) + amount);
  }

  #of(pool: DevicePool): Map<string, bigint> {
    let left = this.#left.get(pool);
    if (left) return left;
    left = new Map();
    for (const { spec } of pool.slices) {
      for (const { name, counters = {} } of spec.sharedCounters ?? []) {
        for (const [counter, { value }] of Object.entries(counters)) {
          left.set(`${name}/${counter}`, parseQuantity(value).nanos);
        }
      }
    }
    for (const device of pool.devices) {
      if (!this.#allocated.has(device.id)) continue;
      for (const [counter, amount] of consumed(device)) left.set(counter, (left.get(counter) ?? 0n) - amount);
    }
    this.#left.set(pool, left);
    return left;
  }
}

function consumed({ device }: PooledDevice): readonly (readonly [string, bigint])[] {
  return (device.consumesCounters ?? []).flatMap(({ counterSet, counters = {} }) =>
    Object.entries(counters).map(
      ([counter, { value }]) => [`${counterSet}/${counter}`, parseQuantity(value).nanos] as const,
    ),
  );
}
