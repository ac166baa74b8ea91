import type { KubeObject } from '../../../machinery/object.ts';
import type { ResourceClaim } from '../../resource/v1.gen.ts';
import type { ResourceList } from '../pod-spec/quantities.ts';
import type { QuotaEvaluator } from './quota-evaluator.ts';

const countName = 'count/resourceclaims.resource.k8s.io';
const suffix = '.deviceclass.resource.k8s.io/devices';
/** The most devices that one claim can get (upstream's `AllocationResultsMaxSize`). */
const mostDevices = 32;

function devicesOf({ allocationMode, count = 1 }: { allocationMode?: string; count?: number }): number {
  return allocationMode === 'All' ? mostDevices : count;
}

function usage(object: KubeObject): ResourceList {
  const devices = new Map<string, number>();
  const add = (name: string, count: number): void => {
    devices.set(name, (devices.get(name) ?? 0) + count);
  };
  for (const { exactly, firstAvailable } of (object as ResourceClaim).spec.devices?.requests ?? []) {
    if (exactly) add(exactly.deviceClassName, devicesOf(exactly));
    const largest = new Map<string, number>();
    for (const choice of firstAvailable ?? []) {
      const count = devicesOf(choice);
      largest.set(choice.deviceClassName, Math.max(count, largest.get(choice.deviceClassName) ?? 0));
    }
    for (const [name, count] of largest) add(name, count);
  }
  return {
    [countName]: '1',
    ...Object.fromEntries([...devices].map(([name, count]) => [`${name}${suffix}`, String(count)])),
  };
}

/** Resource claims and the devices they may get, by device class. */
export const deviceClaimEvaluator: QuotaEvaluator = {
  charges: (operation, subresource) =>
    (operation === 'CREATE' || operation === 'UPDATE') && subresource === '',
  counts: (name) => name === countName || name.endsWith(suffix),
  usage,
};
