import { isIPv6 } from 'node:net';
import type { Service, ServiceSpec } from './v1.gen.ts';

function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function warnOfAddress(address: string | undefined, field: string): string[] {
  if (!address || !isIPv6(address) || canonicalIpv6(address) === address) return [];
  return [
    `${field}: IPv6 address "${address}" should be in RFC 5952 canonical format ("${canonicalIpv6(address)}")`,
  ];
}

function warnOfHeadless(spec: ServiceSpec): string[] {
  if (spec.clusterIP !== 'None') return [];
  const ignored: [boolean, string][] = [
    [Boolean(spec.loadBalancerIP), 'spec.loadBalancerIP'],
    [(spec.externalIPs ?? []).length > 0, 'spec.externalIPs'],
    [spec.sessionAffinity === 'ClientIP', 'spec.SessionAffinity'],
  ];
  return ignored.filter(([given]) => given).map(([, field]) => `${field} is ignored for headless services`);
}

/** Upstream's warnings about services. */
export function serviceWarnings({ spec }: Service): string[] {
  const warnings = [
    ...warnOfHeadless(spec),
    ...(spec.externalIPs ?? []).flatMap((ip, index) => warnOfAddress(ip, `spec.externalIPs[${index}]`)),
    ...warnOfAddress(spec.loadBalancerIP, 'spec.loadBalancerIP'),
  ];
  if (spec.externalIPs?.length && spec.clusterIP !== 'None') {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (spec.externalName && spec.type !== 'ExternalName') {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
