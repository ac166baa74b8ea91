import { randomInt } from 'node:crypto';
import { formatIpv6, parseIpv6 } from '../../base/ipv6.ts';
import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { newInternalError, newInvalid } from '../../machinery/status/errors.ts';
import type { Allocation } from '../resource.ts';
import type { AllocationObserver } from './allocation-observer.ts';
import { addressPool, type AddressPool } from './address-pool.ts';
import { numberRange } from './address-range.ts';
import { ipFamily } from './pod-spec/ip-address.ts';
import { needsHealthCheck } from './service-defaults.ts';
import { initIpFamilies, type IpFamily } from './service-families.ts';
import { keepAllocatedValues, normalizeClusterIps } from './service-normalize.ts';
import type { Service } from './v1.gen.ts';

const firstNodePort = 30_000;
const lastNodePort = 32_767;
const staticNodePorts = 86;

/** An {@link Allocation} that is settled at once. */
export interface TakenNow extends Allocation {
  commit(): void;
  rollback(): void;
}

/** Gives services their cluster addresses and node ports, each to one service at a time. */
export interface ServiceAllocator {
  /** Fills in what the service needs. Throws `Invalid` for what is taken or outside of the ranges. */
  allocate(service: DeepMutable<Service>, old: Service | undefined): TakenNow;
  release(service: Service): void;
  /** Gives addresses of these ranges too. */
  extend(ranges: readonly string[]): void;
  restore(services: readonly Service[]): void;
}

/** The addresses of its own that a service has, in their canonical form. */
export function addressesOf({ spec }: Service): string[] {
  if (spec.type === 'ExternalName') return [];
  return (spec.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '').map(canonicalAddress);
}

function canonicalAddress(address: string): string {
  const ipv6 = address.includes(':') ? parseIpv6(address) : undefined;
  return ipv6 === undefined ? address : formatIpv6(ipv6);
}

function nodePortsOf({ spec }: Service): number[] {
  const ports = (spec.ports ?? []).map(({ nodePort }) => nodePort ?? 0);
  return [...new Set([...ports, spec.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
}

function wantsNodePorts({ spec }: Service): boolean {
  return (
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
  );
}

function refuse(service: Service, errors: readonly FieldError[]): Error {
  return newInvalid({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors);
}

/**
 * An allocator over one range, or one of each family (`10.96.0.0/16,fd00:10:96::/112`, whose first is the default), and the
 * usual node ports.
 */
export function serviceAllocator(serviceCidr: string, observer?: AllocationObserver): ServiceAllocator {
  const pools = new Map<IpFamily, AddressPool>(
    serviceCidr.split(',').map((cidr) => [familyOfRange(cidr), addressPool(cidr)]),
  );
  const families = [...pools.keys()];
  const freeAddress = (address: string): void => pools.get(ipFamily(address) ?? 'IPv4')?.free(address);
  const ports = numberRange({
    first: firstNodePort,
    last: lastNodePort,
    dynamicFrom: firstNodePort + staticNodePorts,
    // Clusters side by side on one machine must not all begin with the same port.
    startAt: randomInt(firstNodePort + staticNodePorts, lastNodePort),
    outside: `provided port is not in the valid range. The range of valid ports is ${firstNodePort}-${lastNodePort}`,
    taken: 'provided port is already allocated',
  });

  observer?.follow({
    addresses: () => [...pools.values()].flatMap((pool) => pool.uses()),
    ports: () => ports.use(),
  });

  const takeAddresses = (service: DeepMutable<Service>, held: readonly string[], taken: string[]): void => {
    const { spec } = service;
    if (spec.type === 'ExternalName' || spec.clusterIPs?.[0] === 'None') return;
    const given = spec.clusterIPs ?? [];
    const all: string[] = [];
    for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
      const wanted = given[index];
      // Another address than the service has is refused by its validation.
      if (wanted && index < held.length) all.push(wanted);
      else all.push(takeAddress(service, family, wanted));
      if (!wanted || index >= held.length) taken.push(all[index] ?? '');
    }
    spec.clusterIP = all[0] ?? '';
    spec.clusterIPs = all;
  };

  const takeAddress = (service: Service, family: IpFamily, wanted: string | undefined): string => {
    const pool = pools.get(family);
    const since = observer?.now() ?? 0;
    if (wanted) {
      const refusal = pool?.take(wanted);
      const cidr = pool?.cidrOf(wanted) ?? '';
      if (!refusal) {
        observer?.address(cidr, 'static', since);
        return wanted;
      }
      observer?.addressRefused(cidr, 'static');
      const detail = `failed to allocate IP ${wanted}: ${refusal}`;
      throw refuse(service, [invalid('spec.clusterIPs', service.spec.clusterIPs, detail)]);
    }
    const next = pool?.takeNext();
    const cidr = pool?.cidrOf(next ?? '') ?? '';
    if (next === undefined) {
      observer?.addressRefused(cidr, 'dynamic');
      throw newInternalError('failed to allocate a serviceIP: range is full');
    }
    observer?.address(cidr, 'dynamic', since);
    return next;
  };

  const takePort = (service: Service, field: string, wanted: number, taken: number[]): number => {
    const scope = wanted === 0 ? 'dynamic' : 'static';
    const refusal = wanted === 0 ? undefined : ports.take(wanted);
    if (refusal) observer?.portRefused(scope);
    if (refusal) throw refuse(service, [invalid(field, wanted, refusal)]);
    const port = wanted || ports.takeNext();
    if (port === undefined) {
      observer?.portRefused(scope);
      throw newInternalError('failed to allocate a nodePort: range is full');
    }
    observer?.port(scope);
    taken.push(port);
    return port;
  };

  const takeNodePorts = (service: DeepMutable<Service>, held: readonly number[], taken: number[]): void => {
    const wants = wantsNodePorts(service);
    const list = service.spec.ports ?? [];
    const ofServicePort = new Map<number, number>();
    const own = new Set(held);
    if (service.spec.type === 'ExternalName' || service.spec.type === 'ClusterIP') return;
    for (const [index, port] of list.entries()) {
      if (!port.nodePort && !wants) continue;
      const shared = ofServicePort.get(port.port);
      if (shared !== undefined && (!port.nodePort || port.nodePort === shared)) {
        port.nodePort = shared;
        continue;
      }
      const later = list.find((other) => other.port === port.port && other.nodePort)?.nodePort;
      const wanted = port.nodePort || later || 0;
      if (!own.has(wanted)) {
        port.nodePort = takePort(service, `spec.ports[${index}].nodePort`, wanted, taken);
      } else port.nodePort = wanted;
      if (held.includes(port.nodePort)) own.delete(port.nodePort);
      ofServicePort.set(port.port, port.nodePort);
    }
  };

  const takeHealthPort = (service: DeepMutable<Service>, held: readonly number[], taken: number[]): void => {
    if (!needsHealthCheck(service)) return;
    const wanted = service.spec.healthCheckNodePort ?? 0;
    if (wanted && held.includes(wanted)) return;
    service.spec.healthCheckNodePort = takePort(service, 'spec.healthCheckNodePort', wanted, taken);
  };

  return {
    extend(ranges) {
      for (const [family, pool] of pools)
        pool.extend(ranges.filter((cidr) => familyOfRange(cidr) === family));
    },
    allocate(service, old) {
      if (old) keepAllocatedValues(service, old);
      normalizeClusterIps(service.spec, old?.spec);
      const errors = initIpFamilies(service, old, families);
      if (errors.length > 0) throw refuse(service, errors);
      const takenAddresses: string[] = [];
      const takenPorts: number[] = [];
      const heldAddresses = old ? addressesOf(old) : [];
      const heldPorts = old ? nodePortsOf(old) : [];
      const giveBack = (): void => {
        for (const address of takenAddresses) freeAddress(address);
        for (const port of takenPorts) ports.free(port);
      };
      try {
        takeAddresses(service, heldAddresses, takenAddresses);
        takeNodePorts(service, heldPorts, takenPorts);
        takeHealthPort(service, heldPorts, takenPorts);
      } catch (error) {
        giveBack();
        throw error;
      }
      return {
        commit() {
          const kept = new Set<string | number>([...addressesOf(service), ...nodePortsOf(service)]);
          for (const address of heldAddresses) if (!kept.has(address)) freeAddress(address);
          for (const port of heldPorts) if (!kept.has(port)) ports.free(port);
        },
        rollback: giveBack,
      };
    },
    release(service) {
      for (const address of addressesOf(service)) freeAddress(address);
      for (const port of nodePortsOf(service)) ports.free(port);
    },
    restore(services) {
      for (const service of services) {
        for (const address of addressesOf(service)) pools.get(ipFamily(address) ?? 'IPv4')?.take(address);
        for (const port of nodePortsOf(service)) ports.take(port);
      }
    },
  };
}

function familyOfRange(cidr: string): IpFamily {
  return cidr.includes(':') ? 'IPv6' : 'IPv4';
}
