import { type FieldError, invalid, notSupported, required } from '../../../machinery/field-error.ts';
import { dns1123SubdomainErrors } from '../../../machinery/validation/names.ts';
import type { HostAlias, PodSpec } from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { validateIp } from './ip-address.ts';

const policies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;
const label = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscored = new RegExp(`^_?${label}(\\._?${label})*$`);
const underscoredMessage =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";

function searchErrors(search: string): string[] {
  if (search === '.') return [];
  const name = search.replace(/\.$/, '');
  return underscored.test(name) && name.length <= 253 ? [] : [underscoredMessage];
}

/** `dnsPolicy`. */
export function validateDnsPolicy(spec: PodSpec, field: string): FieldError[] {
  const policy: string = spec.dnsPolicy ?? '';
  if (!policy) return [required(`${field}.dnsPolicy`)];
  return policies.includes(policy) ? [] : [notSupported(`${field}.dnsPolicy`, policy, policies)];
}

/** `dnsConfig`, which the policy `None` needs. */
export function validateDnsConfig(spec: PodSpec, field: string): FieldError[] {
  const { dnsConfig, dnsPolicy } = spec;
  if (dnsPolicy === 'None' && !dnsConfig) {
    return [required(field, 'must provide `dnsConfig` when `dnsPolicy` is None')];
  }
  if (dnsPolicy === 'None' && !dnsConfig?.nameservers?.length) {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    return [required(`${field}.nameservers`, detail)];
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  const errors: FieldError[] = [];
  if (nameservers.length > maxNameservers) {
    const detail = `must not have more than ${maxNameservers} nameservers`;
    errors.push(invalid(`${field}.nameservers`, nameservers, detail));
  }
  for (const [index, server] of nameservers.entries()) {
    errors.push(...validateIp(server, `${field}.nameservers[${index}]`));
  }
  if (searches.length > maxSearches) {
    errors.push(
      invalid(`${field}.searches`, searches, `must not have more than ${maxSearches} search paths`),
    );
  }
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`;
    errors.push(invalid(`${field}.searches`, searches, detail));
  }
  for (const [index, search] of searches.entries()) {
    errors.push(
      ...invalidEach(`${field}.searches[${index}]`, search.replace(/\.$/, ''), searchErrors(search)),
    );
  }
  for (const [index, option] of options.entries()) {
    if (!option.name) errors.push(required(`${field}.options[${index}]`, 'must not be empty'));
  }
  return errors;
}

/** Lines for the containers' hosts file. */
export function validateHostAliases(aliases: readonly HostAlias[], field: string): FieldError[] {
  return aliases.flatMap(({ ip, hostnames = [] }, index) => [
    ...validateIp(ip, `${field}[${index}].ip`),
    ...hostnames.flatMap((name, position) =>
      invalidEach(`${field}[${index}].hostnames[${position}]`, name, dns1123SubdomainErrors(name)),
    ),
  ]);
}
