import type { ResourceClaim } from '../../../api/resource/v1.gen.ts';
import { parseQuantity } from '../../../machinery/quantity.ts';
import type { Capacities } from './device-capacity.ts';
import { unqualified } from './device-capacity.ts';
import { deviceId, type DeviceId } from './device-pools.ts';

/** What claims hold of devices; access for administrators holds nothing. */
export interface AllocatedDevices {
  /** Devices that are somebody's alone. */
  readonly exclusive: ReadonlySet<DeviceId>;
  /** What is taken of devices that several claims share. */
  readonly shared: ReadonlyMap<DeviceId, Capacities>;
  /** All of the above. */
  readonly all: ReadonlySet<DeviceId>;
}

export function allocatedDevices(claims: Iterable<ResourceClaim>): AllocatedDevices {
  const exclusive = new Set<DeviceId>();
  const shared = new Map<DeviceId, Map<string, bigint>>();
  for (const { status } of claims) {
    for (const result of status?.allocation?.devices?.results ?? []) {
      if (result.adminAccess) continue;
      const id = deviceId(result.driver, result.pool, result.device);
      if (result.shareID === undefined) {
        exclusive.add(id);
        continue;
      }
      let taken = shared.get(id);
      if (!taken) shared.set(id, (taken = new Map()));
      for (const [name, amount] of Object.entries(result.consumedCapacity ?? {})) {
        const key = unqualified(name, result.driver);
        taken.set(key, (taken.get(key) ?? 0n) + parseQuantity(amount).nanos);
      }
    }
  }
  return { exclusive, shared, all: new Set([...exclusive, ...shared.keys()]) };
}
