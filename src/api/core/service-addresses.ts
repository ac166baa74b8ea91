import { type FieldError, duplicate, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { ipFamily, isDualStack, validateIp } from './pod-spec/ip-address.ts';
import { isHeadless } from './service-defaults.ts';
import type { Service } from './v1.gen.ts';

const families = ['IPv4', 'IPv6'];
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const field = 'spec.clusterIPs';

function validatePair({ spec }: Service): FieldError[] {
  const { clusterIP, clusterIPs = [] } = spec;
  if (!clusterIP) {
    if (clusterIPs.length === 0) return [];
    return [invalid(field, clusterIPs, 'must be empty when `clusterIP` is not specified')];
  }
  if (clusterIPs.length === 0) return [required(field)];
  return clusterIPs[0] === clusterIP
    ? []
    : [invalid(field, clusterIPs, 'first value must match `clusterIP`')];
}

function validateFamilies({ spec }: Service): FieldError[] {
  const seen = new Set<string>();
  const errors = (spec.ipFamilies ?? []).flatMap((family, index) => {
    const at = `spec.ipFamilies[${index}]`;
    const found: FieldError[] = [];
    if (!families.includes(family)) found.push(notSupported(at, family, families));
    if (seen.has(family)) found.push(duplicate(at, family));
    seen.add(family);
    return found;
  });
  const policy: string | undefined = spec.ipFamilyPolicy;
  if (policy !== undefined && !policies.includes(policy)) {
    errors.push(notSupported('spec.ipFamilyPolicy', policy, policies));
  }
  return errors;
}

function validateEach(ips: readonly string[]): FieldError[] {
  return ips.flatMap((ip, index) => {
    if (index > 0 || ip !== 'None') return validateIp(ip, `${field}[${index}]`);
    return ips.length > 1 ? [invalid(field, ips, "'None' must be the first and only value")] : [];
  });
}

function validateMatches(service: Service): FieldError[] {
  const { clusterIPs = [], ipFamilies = [] } = service.spec;
  if (isHeadless(service)) return [];
  return clusterIPs.flatMap((ip, index) => {
    const family = ipFamilies[index];
    if (!family || !families.includes(family) || ipFamily(ip) === family) return [];
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    return [invalid(`${field}[${index}]`, ip, detail)];
  });
}

/** `clusterIP`, `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` together (`ValidateServiceClusterIPsRelatedFields`). */
export function validateClusterIps(service: Service): FieldError[] {
  if (service.spec.type === 'ExternalName') return [];
  const ips = service.spec.clusterIPs ?? [];
  const errors = [...validatePair(service), ...validateFamilies(service)];
  const malformed = validateEach(ips);
  errors.push(...malformed);
  if (ips.length > 2) errors.push(invalid(field, ips, 'may only hold up to 2 values'));
  if (malformed.length > 0) return errors;
  if (ips.length > 1 && !isDualStack(ips)) {
    errors.push(invalid(field, ips, 'may specify no more than one IP for each IP family'));
  }
  return [...errors, ...validateMatches(service)];
}

function isExternalName(service: Service): boolean {
  return service.spec.type === 'ExternalName';
}

function changedAddresses(next: Service, old: Service): FieldError[] {
  const before = old.spec.clusterIPs ?? [];
  const after = next.spec.clusterIPs ?? [];
  const once = 'may not change once set';
  if (before.length === after.length) {
    return before.flatMap((ip, index) =>
      ip === after[index] ? [] : [invalid(`${field}[${index}]`, after, once)],
    );
  }
  const errors: FieldError[] = [];
  if (after.length === 0) errors.push(invalid(`${field}[0]`, after, 'primary clusterIP can not be unset'));
  else if (before.length > 0 && before[0] !== after[0]) errors.push(invalid(`${field}[0]`, after, once));
  if (before.length > after.length && after.length === 1 && next.spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.push(invalid('spec.ipFamilyPolicy', next.spec.ipFamilyPolicy, detail));
  }
  return errors;
}

function changedFamilies(next: Service, old: Service): FieldError[] {
  const before = old.spec.ipFamilies ?? [];
  const after = next.spec.ipFamilies ?? [];
  const once = 'may not change once set';
  if (before.length === after.length) {
    return before.flatMap((family, index) =>
      family === after[index] ? [] : [invalid('spec.ipFamilies[0]', after, once)],
    );
  }
  const errors: FieldError[] = [];
  if (before.length > 0 && after.length > 0 && before[0] !== after[0]) {
    errors.push(invalid('spec.ipFamilies[0]', next.spec.clusterIPs, once));
  }
  if (before.length > after.length && after.length === 1 && next.spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.push(invalid('spec.ipFamilyPolicy', next.spec.ipFamilyPolicy, detail));
  }
  return errors;
}

/** What an update may not change of addresses and families. */
export function validateAddressChange(next: Service, old: Service): FieldError[] {
  if (isExternalName(next) || isExternalName(old)) return [];
  const headless = [isHeadless(next), isHeadless(old)];
  if (headless.every(Boolean)) return [];
  const addresses = changedAddresses(next, old);
  return headless.some(Boolean) ? addresses : [...addresses, ...changedFamilies(next, old)];
}
