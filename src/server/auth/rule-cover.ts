import type { PolicyRule } from '../../api/rbac/v1.gen.ts';

/** A rule that grants one thing: one verb on one resource of one group, or on one path. */
export interface SingleGrant {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly resourceName?: string;
  readonly path?: string;
}

/** Takes a rule apart into what it grants one by one. */
export function grantsOf(rule: PolicyRule): SingleGrant[] {
  const grants: SingleGrant[] = [];
  for (const verb of rule.verbs) {
    for (const path of rule.nonResourceURLs ?? []) grants.push({ verb, path });
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames ?? [];
        if (names.length === 0) grants.push({ verb, group, resource });
        for (const resourceName of names) grants.push({ verb, group, resource, resourceName });
      }
    }
  }
  return grants;
}

function has(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

/** Whether an owned rule covers a grant (upstream's `ruleCovers` for rules taken apart). */
export function covers(rule: PolicyRule, grant: SingleGrant): boolean {
  if (!has(rule.verbs, grant.verb)) return false;
  if (grant.path !== undefined) {
    const { path } = grant;
    return (rule.nonResourceURLs ?? []).some(
      (owned) =>
        owned === path || owned === '*' || (owned.endsWith('*') && path.startsWith(owned.slice(0, -1))),
    );
  }
  const { group = '', resource = '', resourceName } = grant;
  if (!has(rule.apiGroups, group)) return false;
  const [, subresource] = resource.split('/');
  if (
    !has(rule.resources, resource) &&
    !(subresource !== undefined && rule.resources?.includes(`*/${subresource}`))
  ) {
    return false;
  }
  const names = rule.resourceNames ?? [];
  return names.length === 0 || (resourceName !== undefined && names.includes(resourceName));
}

function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`.replaceAll('" "', '", "');
}

/** A rule as upstream's messages print it: `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`. */
function printRule(rule: PolicyRule): string {
  const parts: string[] = [];
  if ((rule.apiGroups?.length ?? 0) > 0) parts.push(`APIGroups:${quotedList(rule.apiGroups ?? [])}`);
  if ((rule.resources?.length ?? 0) > 0) parts.push(`Resources:${quotedList(rule.resources ?? [])}`);
  if ((rule.resourceNames?.length ?? 0) > 0)
    parts.push(`ResourceNames:${quotedList(rule.resourceNames ?? [])}`);
  if ((rule.nonResourceURLs?.length ?? 0) > 0)
    parts.push(`NonResourceURLs:${quotedList(rule.nonResourceURLs ?? [])}`);
  if (rule.verbs.length > 0) parts.push(`Verbs:${quotedList(rule.verbs)}`);
  return `{${parts.join(', ')}}`;
}

/** What of the grants nobody's rules cover, one line a group and resource with its verbs, as upstream compacts it. */
export function printGrants(grants: readonly SingleGrant[]): string {
  const rules = new Map<string, PolicyRule & { readonly verbs: string[] }>();
  for (const { verb, group, resource, resourceName, path } of grants) {
    const key = JSON.stringify([group, resource, resourceName, path]);
    const known = rules.get(key);
    if (known) {
      known.verbs.push(verb);
      continue;
    }
    rules.set(key, {
      verbs: [verb],
      ...(group === undefined ? {} : { apiGroups: [group] }),
      ...(resource === undefined ? {} : { resources: [resource] }),
      ...(resourceName === undefined ? {} : { resourceNames: [resourceName] }),
      ...(path === undefined ? {} : { nonResourceURLs: [path] }),
    });
  }
  return [...rules.values()].map(printRule).sort().join('\n');
}
