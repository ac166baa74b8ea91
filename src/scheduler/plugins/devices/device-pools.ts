import type { Node, NodeSelector } from '../../../api/core/v1.gen.ts';
import type { Device, ResourceSlice } from '../../../api/resource/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { nodeSelectorMatches } from '../../../api/core/node-selector.ts';

/** Names a device in the whole cluster: `driver/pool/device`. */
export type DeviceId = string;

export function deviceId(driver: string, pool: string, device: string): DeviceId {
  return `${driver}/${pool}/${device}`;
}

/** A device that a driver published. */
export interface PooledDevice {
  readonly id: DeviceId;
  readonly device: Device;
  readonly pool: DevicePool;
  /** Only this node reaches the device. */
  readonly nodeName: string | undefined;
  /** Only these nodes reach it. Without this and a name all nodes do. */
  readonly nodeSelector: NodeSelector | undefined;
}

/** The newest generation of a driver's pool. */
export interface DevicePool {
  readonly driver: string;
  readonly name: string;
  /** `incomplete`: slices are missing. `invalid`: a name is used twice. Nothing is taken from either. */
  readonly state: 'usable' | 'incomplete' | 'invalid';
  readonly devices: readonly PooledDevice[];
  readonly slices: readonly ResourceSlice[];
}

/** What a node reaches of a pool. */
export interface ReachablePool {
  readonly pool: DevicePool;
  readonly devices: readonly PooledDevice[];
}

/** All pools, prepared to be asked for node by node. */
export interface DevicePools {
  /** In the order of drivers' and pools' names. */
  reachableFrom(node: Node): readonly ReachablePool[];
}

export function devicePools(slices: readonly Live<ResourceSlice>[]): DevicePools {
  const byNode = new Map<string, DevicePool[]>();
  const shared: DevicePool[] = [];
  for (const pool of gather(slices)) {
    const names = new Set(pool.devices.map(({ nodeName }) => nodeName));
    if (names.has(undefined) || names.size === 0) shared.push(pool);
    else for (const name of names) byNode.set(name ?? '', [...(byNode.get(name ?? '') ?? []), pool]);
  }
  return {
    reachableFrom(node) {
      const own = byNode.get(node.metadata.name ?? '') ?? [];
      return [...own, ...shared].toSorted(byName).flatMap((pool) => {
        const devices = pool.devices.filter((device) => isReachable(device, node));
        return devices.length > 0 ? [{ pool, devices }] : [];
      });
    },
  };
}

function gather(slices: readonly Live<ResourceSlice>[]): DevicePool[] {
  const generations = new Map<string, ResourceSlice[]>();
  for (const slice of slices.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const key = `${slice.spec.driver}/${slice.spec.pool.name}`;
    const [newest, ...others] = generations.get(key) ?? [];
    const age = slice.spec.pool.generation - (newest?.spec.pool.generation ?? slice.spec.pool.generation);
    if (!newest || age > 0) generations.set(key, [slice]);
    else if (age === 0) generations.set(key, [newest, ...others, slice]);
  }
  return [...generations.values()].flatMap((current) => poolOf(current) ?? []);
}

function poolOf(slices: readonly ResourceSlice[]): DevicePool | undefined {
  const [first] = slices;
  if (!first) return undefined;
  const { driver, pool } = first.spec;
  const devices: PooledDevice[] = [];
  const state = stateOf(slices, pool.resourceSliceCount);
  const made: DevicePool = { driver, name: pool.name, state, devices, slices };
  for (const { spec } of slices) {
    for (const device of spec.devices ?? []) {
      const from = spec.perDeviceNodeSelection ? device : spec;
      devices.push({
        id: deviceId(driver, pool.name, device.name),
        device,
        pool: made,
        nodeName: from.nodeName,
        nodeSelector: from.nodeSelector,
      });
    }
  }
  return made;
}

function stateOf(slices: readonly ResourceSlice[], expected: number): DevicePool['state'] {
  if (slices.length !== expected) return 'incomplete';
  const names = slices.flatMap(({ spec }) => (spec.devices ?? []).map(({ name }) => name));
  return new Set(names).size < names.length ? 'invalid' : 'usable';
}

function isReachable({ nodeName, nodeSelector }: PooledDevice, node: Node): boolean {
  if (nodeName) return nodeName === node.metadata.name;
  return !nodeSelector || nodeSelectorMatches(nodeSelector, node);
}

function byName(a: DevicePool, b: DevicePool): number {
  const [left, right] = [`${a.driver}/${a.name}`, `${b.driver}/${b.name}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
