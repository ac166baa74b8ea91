import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ipFamily } from './pod-spec/ip-address.ts';
import { validateClusterIps } from './service-addresses.ts';
import type { Service, ServiceSpec } from './v1.gen.ts';

function same(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return (a ?? []).length === (b ?? []).length && (a ?? []).every((item, index) => item === b?.[index]);
}

function defaultPolicy(spec: DeepMutable<ServiceSpec>, old: Service | undefined): void {
  if (spec.ipFamilyPolicy !== undefined) return;
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0;
  const fallback = spec.clusterIP === 'None' && !hasSelector ? 'RequireDualStack' : 'SingleStack';
  spec.ipFamilyPolicy = old?.spec.ipFamilyPolicy ?? fallback;
}

function checkReduction(spec: DeepMutable<ServiceSpec>, old: Service): FieldError[] {
  const policy = spec.ipFamilyPolicy;
  const errors: FieldError[] = [];
  for (const [name, words] of [
    ['clusterIPs', 'cluster IP'],
    ['ipFamilies', 'IP family'],
  ] as const) {
    const before = old.spec[name];
    const after = spec[name];
    if (policy === 'SingleStack') {
      if (same(before, after) && (after?.length ?? 0) > 1) after?.splice(1);
    } else if (before?.length === 2 && after?.length === 1) {
      const detail = `must be 'SingleStack' to release the secondary ${words}`;
      errors.push(invalid('spec.ipFamilyPolicy', policy, detail));
    }
  }
  return errors;
}

function checkPolicy(spec: DeepMutable<ServiceSpec>): FieldError[] {
  if (spec.ipFamilyPolicy !== 'SingleStack') return [];
  const refuse = (what: string): FieldError =>
    invalid(
      'spec.ipFamilyPolicy',
      spec.ipFamilyPolicy,
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`,
    );
  return [
    ...(spec.clusterIPs?.length === 2 ? [refuse('cluster IPs')] : []),
    ...(spec.ipFamilies?.length === 2 ? [refuse('IP families')] : []),
  ];
}

function inferFamilies(spec: DeepMutable<ServiceSpec>): FieldError[] {
  const families = [...(spec.ipFamilies ?? [])];
  const errors: FieldError[] = [];
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break;
    const family = ipFamily(ip);
    if (index < families.length || !family) continue;
    if (family === 'IPv4') families.push(family);
    else
      errors.push(
        invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, 'IPv6 is not configured on this cluster'),
      );
  }
  if (families.length > 0) spec.ipFamilies = families;
  return errors;
}

/**
 * Fills `ipFamilies` and `ipFamilyPolicy` for a cluster that has IPv4 services only, as upstream does before it
 * allocates addresses. Returns what cannot be had.
 */
export function initIpFamilies(service: DeepMutable<Service>, old: Service | undefined): FieldError[] {
  const { spec } = service;
  if (spec.type === 'ExternalName') return [];
  defaultPolicy(spec, old);
  const malformed = validateClusterIps(service);
  if (malformed.length > 0) return malformed;
  const errors = [...(old ? checkReduction(spec, old) : []), ...checkPolicy(spec), ...inferFamilies(spec)];
  if (errors.length > 0) return errors;
  if (spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0) {
    spec.ipFamilies = spec.ipFamilies?.length ? spec.ipFamilies : ['IPv4'];
    if (spec.ipFamilies.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
      spec.ipFamilies.push(spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4');
    }
    return [];
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    const detail = 'this cluster is not configured for dual-stack services';
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (family !== 'IPv4') {
      errors.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
    }
  }
  if (errors.length === 0 && !spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
  return errors;
}
