import { isDeepStrictEqual } from 'node:util';
import type { DeepMutable } from '../../machinery/object.ts';
import { isExternallyAccessible, needsHealthCheck } from './service-defaults.ts';
import type { Service, ServiceSpec } from './v1.gen.ts';

type Spec = DeepMutable<ServiceSpec>;

function copyIps(ips: readonly string[] | undefined): string[] | undefined {
  return ips && [...ips];
}

/** Keeps `clusterIP` and `clusterIPs` the same when a client sets only one of them (upstream's `NormalizeClusterIPs`). */
export function normalizeClusterIps(next: Spec, old: ServiceSpec | undefined): void {
  if (!old) {
    if (next.clusterIP && !next.clusterIPs?.length) next.clusterIPs = [next.clusterIP];
    return;
  }
  const clear = (): void => {
    delete next.clusterIPs;
  };
  if (!next.clusterIP && old.clusterIP && isDeepStrictEqual(next.clusterIPs ?? [], old.clusterIPs ?? [])) {
    clear();
    return;
  }
  if (next.clusterIP === old.clusterIP) {
    // A client that knows only `clusterIP` sends none of the list: it means no change.
    if (!next.clusterIPs?.length && old.clusterIPs && next.clusterIP)
      next.clusterIPs = copyIps(old.clusterIPs) ?? [];
    return;
  }
  const sameList = isDeepStrictEqual(next.clusterIPs ?? [], old.clusterIPs ?? []);
  if (sameList && next.clusterIP) next.clusterIPs = [next.clusterIP];
  else if (!next.clusterIPs?.length && next.clusterIP) next.clusterIPs = [next.clusterIP];
}

function needsClusterIp(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName';
}

function needsNodePort(spec: ServiceSpec): boolean {
  return (
    spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
  );
}

function sameNodePorts(next: Spec, old: ServiceSpec): boolean {
  const ports = (spec: Pick<ServiceSpec, 'ports'>): (number | undefined)[] => [
    ...new Set((spec.ports ?? []).map(({ nodePort }) => nodePort).filter(Boolean)),
  ];
  return isDeepStrictEqual(ports(next).sort(), ports(old).sort());
}

/** On update: takes over what the client left out and what was allocated before (upstream's `patchAllocatedValues`). */
export function keepAllocatedValues(next: DeepMutable<Service>, old: Service): void {
  const { spec } = next;
  if (needsClusterIp(old.spec) && needsClusterIp(spec)) {
    if (!spec.clusterIP) {
      if (old.spec.clusterIP) spec.clusterIP = old.spec.clusterIP;
      if (!spec.clusterIPs?.length && old.spec.clusterIPs) spec.clusterIPs = [...old.spec.clusterIPs];
    }
  }
  if (needsNodePort(old.spec) && needsNodePort(spec)) {
    const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort).filter(Boolean));
    for (const port of spec.ports ?? []) {
      const before = old.spec.ports?.find(
        (one) => one.port === port.port && (one.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
      )?.nodePort;
      if (port.nodePort || !before || used.has(before)) continue;
      port.nodePort = before;
      used.add(before);
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(next) && !spec.healthCheckNodePort) {
    if (old.spec.healthCheckNodePort) spec.healthCheckNodePort = old.spec.healthCheckNodePort;
  }
}

/** On a change of type: drops what the new type cannot have when the client left it untouched (`dropTypeDependentFields`). */
export function dropTypeDependentFields(next: DeepMutable<Service>, old: Service): void {
  const { spec } = next;
  if (needsClusterIp(old.spec) && !needsClusterIp(spec)) {
    const untouched =
      spec.clusterIP === old.spec.clusterIP &&
      isDeepStrictEqual(spec.clusterIPs ?? [], old.spec.clusterIPs ?? []);
    if (untouched) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (isDeepStrictEqual(spec.ipFamilies, old.spec.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.spec.ipFamilyPolicy) delete spec.ipFamilyPolicy;
    if (spec.internalTrafficPolicy === old.spec.internalTrafficPolicy) delete spec.internalTrafficPolicy;
  }
  if (
    needsNodePort(old.spec) &&
    !needsNodePort(spec) &&
    spec.type !== old.spec.type &&
    sameNodePorts(next.spec, old.spec)
  ) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(next)) {
    if (spec.healthCheckNodePort === old.spec.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  if (old.spec.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.spec.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === old.spec.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(next)) {
    if (spec.externalTrafficPolicy === old.spec.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  }
  if (
    old.spec.type === 'ExternalName' &&
    spec.type !== 'ExternalName' &&
    spec.externalName === old.spec.externalName
  ) {
    delete spec.externalName;
  }
}
