import type { NamedRuleWithOperations } from '../../../api/admissionregistration/v1.gen.ts';
import type { AdmissionRequest, AdmissionVersion } from '../admission-chain.ts';

/**
 * The version of the request's resource that the rules match: the one asked for, or with `Equivalent` another one that it is
 * served in. Undefined when no rule matches.
 */
export function matchedVersion(
  request: AdmissionRequest,
  rules: readonly NamedRuleWithOperations[],
  matchPolicy: string | undefined,
): AdmissionVersion | undefined {
  const [own, ...others] = request.versions;
  if (rules.some((rule) => ruleMatches(rule, request, own))) return own;
  if (matchPolicy !== 'Equivalent') return undefined;
  for (const rule of rules) {
    const equivalent = others.find((version) => ruleMatches(rule, request, version));
    if (equivalent) return equivalent;
  }
  return undefined;
}

function ruleMatches(
  rule: NamedRuleWithOperations,
  request: AdmissionRequest,
  version: AdmissionVersion,
): boolean {
  const names = rule.resourceNames ?? [];
  return (
    inScope(rule.scope, request) &&
    includes(rule.operations, request.operation) &&
    includes(rule.apiGroups, version.group) &&
    includes(rule.apiVersions, version.version) &&
    (rule.resources ?? []).some((pattern) =>
      resourceMatches(pattern, version.resource, request.subresource),
    ) &&
    (names.length === 0 || names.includes(request.name))
  );
}

function includes(values: readonly string[] | undefined, value: string): boolean {
  return (values ?? []).some((candidate) => candidate === '*' || candidate === value);
}

function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  const [wanted = '', part = ''] = pattern.split(/\/(.*)/s);
  return (wanted === '*' || wanted === resource) && (part === '*' || part === subresource);
}

/** Namespaces are cluster-scoped although requests for them carry one. */
function inScope(scope: string | undefined, { group, resource, namespace }: AdmissionRequest): boolean {
  const clusterWide = namespace === '' || (group === '' && resource === 'namespaces');
  if (scope === 'Namespaced') return !clusterWide;
  return scope === 'Cluster' ? clusterWide : true;
}
