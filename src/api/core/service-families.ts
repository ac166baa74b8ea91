import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ipFamily } from './pod-spec/ip-address.ts';
import { validateClusterIps } from './service-addresses.ts';
import type { Service, ServiceSpec } from './v1.gen.ts';

export type IpFamily = NonNullable<ServiceSpec['ipFamilies']>[number];

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

function inferFamilies(spec: DeepMutable<ServiceSpec>, configured: readonly IpFamily[]): FieldError[] {
  const families = [...(spec.ipFamilies ?? [])];
  const errors: FieldError[] = [];
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break;
    const family = ipFamily(ip);
    if (index < families.length || !family) continue;
    if (configured.includes(family)) families.push(family);
    else
      errors.push(
        invalid(`spec.clusterIPs[${index}]`, spec.clusterIPs, `${family} is not configured on this cluster`),
      );
  }
  if (families.length > 0) spec.ipFamilies = families;
  return errors;
}

/** A service that prefers two families keeps those it has, whatever the cluster has become. */
function keepsPreference({ spec }: Service, old: Service | undefined): boolean {
  return (
    old !== undefined &&
    old.spec.type === spec.type &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    old.spec.ipFamilyPolicy === 'PreferDualStack' &&
    same(old.spec.clusterIPs, spec.clusterIPs) &&
    same(old.spec.ipFamilies, spec.ipFamilies)
  );
}

function addOther(families: IpFamily[]): void {
  if (families.length === 1) families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4');
}

/**
 * Fills `ipFamilies` and `ipFamilyPolicy` for a cluster that has services of the `configured` families, the first of them by
 * default, as upstream does before it allocates addresses. Returns what cannot be had.
 */
export function initIpFamilies(
  service: DeepMutable<Service>,
  old: Service | undefined,
  configured: readonly IpFamily[],
): FieldError[] {
  const { spec } = service;
  const [standard = 'IPv4'] = configured;
  if (spec.type === 'ExternalName' || keepsPreference(service, old)) return [];
  defaultPolicy(spec, old);
  const malformed = validateClusterIps(service);
  if (malformed.length > 0) return malformed;
  const errors = [
    ...(old ? checkReduction(spec, old) : []),
    ...checkPolicy(spec),
    ...inferFamilies(spec, configured),
  ];
  if (errors.length > 0) return errors;
  const single = spec.ipFamilyPolicy === 'SingleStack';
  if (spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0) {
    spec.ipFamilies = spec.ipFamilies?.length ? spec.ipFamilies : [standard];
    if (!single) addOther(spec.ipFamilies);
    return [];
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && configured.length < 2) {
    const detail = 'this cluster is not configured for dual-stack services';
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail));
  }
  for (const [index, family] of (spec.ipFamilies ?? []).entries()) {
    if (!configured.includes(family)) {
      errors.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
    }
  }
  if (errors.length > 0) return errors;
  spec.ipFamilies = spec.ipFamilies?.length ? spec.ipFamilies : [standard];
  if (!single && configured.length === 2) addOther(spec.ipFamilies);
  return [];
}
