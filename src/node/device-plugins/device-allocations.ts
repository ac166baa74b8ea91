import { join } from 'node:path';
import { readIfPresent, writeState } from '../runtimes/state-file.ts';
import type { AllocateResponse } from './device-plugin-protocol.ts';

/** Devices of one resource that a container has been given. */
export interface DeviceAllocation {
  readonly podUid: string;
  readonly container: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly response: AllocateResponse;
}

/** Who has which devices, and of which resources there were plug-ins; both outlive the agent. */
export interface DeviceAllocations {
  recover(): Promise<readonly string[]>;
  of(podUid: string, container: string): readonly DeviceAllocation[];
  inUse(resource: string): ReadonlySet<string>;
  has(resource: string): boolean;
  add(allocation: DeviceAllocation): void;
  /** Frees the devices of all pods but these. */
  keepPods(podUids: ReadonlySet<string>): void;
  /** Sets all that a pod has. */
  replace(podUid: string, allocations: readonly DeviceAllocation[]): void;
  /** Writes down what holds, with the names of the resources. */
  save(resources: readonly string[]): Promise<void>;
}

/** The allocations in a node's folder. */
export function createDeviceAllocations(folder: string): DeviceAllocations {
  const file = join(folder, 'kubelet_internal_checkpoint');
  let all: readonly DeviceAllocation[] = [];
  let writing: Promise<void> = Promise.resolve();
  return {
    async recover() {
      const text = await readIfPresent(file);
      if (text === undefined) return [];
      const state = JSON.parse(text) as {
        readonly resources: readonly string[];
        readonly allocations: readonly DeviceAllocation[];
      };
      all = state.allocations;
      return state.resources;
    },
    of: (podUid, container) => all.filter((one) => one.podUid === podUid && one.container === container),
    inUse: (resource) => new Set(all.flatMap((one) => (one.resource === resource ? one.ids : []))),
    has: (resource) => all.some((one) => one.resource === resource),
    add: (allocation) => void (all = [...all, allocation]),
    keepPods: (podUids) => void (all = all.filter(({ podUid }) => podUids.has(podUid))),
    replace: (uid, those) => void (all = [...all.filter(({ podUid }) => podUid !== uid), ...those]),
    save(resources) {
      const write = (): Promise<void> => writeState(file, { resources, allocations: all });
      writing = writing.then(write, write);
      return writing;
    },
  };
}
