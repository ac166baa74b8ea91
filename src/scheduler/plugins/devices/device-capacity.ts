import type { CapacityRequestPolicy, CapacityRequirements } from '../../../api/resource/v1.gen.ts';
import { formatQuantity, parseQuantity } from '../../../machinery/quantity.ts';
import type { PooledDevice } from './device-pools.ts';

/** Amounts by capacity name, in billionths. */
export type Capacities = ReadonlyMap<string, bigint>;

/**
 * What a request takes of a device's capacities (KEP-5075): what it asks for rounded up as the device's policy says, or
 * the policy's default, or all. Undefined when the device does not offer that.
 */
export function capacityShare(
  { device, pool }: PooledDevice,
  required: CapacityRequirements | undefined,
): Capacities | undefined {
  const offered = new Map(
    Object.entries(device.capacity ?? {}).map(([name, capacity]) => [
      unqualified(name, pool.driver),
      capacity,
    ]),
  );
  const wanted = new Map(
    Object.entries(required?.requests ?? {}).map(([name, amount]) => [
      unqualified(name, pool.driver),
      parseQuantity(amount).nanos,
    ]),
  );
  for (const name of wanted.keys()) if (!offered.has(name)) return undefined;
  const share = new Map<string, bigint>();
  for (const [name, { value, requestPolicy }] of offered) {
    const total = parseQuantity(value).nanos;
    const amount = rounded(wanted.get(name), total, requestPolicy);
    if (amount === undefined || amount > total) return undefined;
    share.set(name, amount);
  }
  return share;
}

/** Whether the share is left when `taken` is taken already. */
export function hasCapacity({ device, pool }: PooledDevice, share: Capacities, taken: Capacities): boolean {
  return Object.entries(device.capacity ?? {}).every(([qualified, { value }]) => {
    const name = unqualified(qualified, pool.driver);
    return (taken.get(name) ?? 0n) + (share.get(name) ?? 0n) <= parseQuantity(value).nanos;
  });
}

/** The share as it stands in an allocation, by the names that the device uses. */
export function printedShare({ device, pool }: PooledDevice, share: Capacities): Record<string, string> {
  return Object.fromEntries(
    Object.entries(device.capacity ?? {}).map(([name, { value }]) => {
      const nanos = share.get(unqualified(name, pool.driver)) ?? 0n;
      return [name, formatQuantity({ nanos, format: parseQuantity(value).format })];
    }),
  );
}

/** A capacity's name without its domain where that is the driver's. */
export function unqualified(name: string, driver: string): string {
  return name.startsWith(`${driver}/`) ? name.slice(driver.length + 1) : name;
}

function rounded(
  wanted: bigint | undefined,
  total: bigint,
  policy: CapacityRequestPolicy | undefined,
): bigint | undefined {
  if (wanted === undefined) return policy ? parseQuantity(policy.default).nanos : total;
  if (policy?.validValues) {
    const values = policy.validValues.map((value) => parseQuantity(value).nanos);
    return values.toSorted((a, b) => (a < b ? -1 : 1)).find((value) => value >= wanted);
  }
  const { min, max, step } = policy?.validRange ?? {};
  const lowest = min === undefined ? 0n : parseQuantity(min).nanos;
  let amount = wanted < lowest ? lowest : wanted;
  if (step !== undefined) {
    const size = parseQuantity(step).nanos;
    const beyond = amount - lowest;
    amount = lowest + ((beyond + size - 1n) / size) * size;
  }
  return max !== undefined && amount > parseQuantity(max).nanos ? undefined : amount;
}
