import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import type { Live } from '../../machinery/object.ts';
import { validateQuantity, validateResourceName } from './pod-spec/validate-resources.ts';
import type { ResourceQuota, ResourceQuotaSpec } from './v1.gen.ts';

const computeResources = new Set([
  'cpu',
  'memory',
  'limits.cpu',
  'limits.memory',
  'requests.cpu',
  'requests.memory',
]);
const claimResources = new Set(['persistentvolumeclaims', 'requests.storage']);
const quotaResources = new Set([
  ...computeResources,
  ...claimResources,
  'ephemeral-storage',
  'requests.ephemeral-storage',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);
const scopes = new Set([
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
]);
const existenceScopes = new Set([
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]);
const contradictions = [
  ['BestEffort', 'NotBestEffort'],
  ['NotTerminating', 'Terminating'],
] as const;

function isQuotaResource(name: string): boolean {
  return quotaResources.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-');
}

function scopeFits(scope: string, resource: string): boolean {
  if (scope === 'BestEffort') return resource === 'pods';
  if (scope === 'VolumeAttributesClass') return claimResources.has(resource);
  return !scopes.has(scope) || resource === 'pods' || computeResources.has(resource);
}

function validateQuotaName(name: string, field: string): FieldError[] {
  const errors = validateResourceName(name, field);
  if (name.includes('/') || isQuotaResource(name)) return errors;
  return [...errors, invalid(field, name, 'must be a standard resource for quota')];
}

function validateList(list: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  return Object.entries(list ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => {
      const at = `${field}[${name}]`;
      return [...validateQuotaName(name, at), ...validateQuantity(name, value, at)];
    });
}

function misplaced(spec: ResourceQuotaSpec, scope: string): readonly string[] {
  return Object.keys(spec.hard ?? {})
    .sort()
    .filter((name) => isQuotaResource(name) && !scopeFits(scope, name));
}

function conflicts(names: ReadonlySet<string>): number {
  return contradictions.filter((pair) => pair.every((name) => names.has(name))).length;
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const listed = spec.scopes ?? [];
  const field = 'spec.scopes';
  const errors: FieldError[] = [];
  for (const scope of listed) {
    if (!scopes.has(scope)) errors.push(invalid(field, listed, 'unsupported scope'));
    for (const _ of misplaced(spec, scope))
      errors.push(invalid(field, listed, 'unsupported scope applied to resource'));
  }
  for (let count = conflicts(new Set(listed)); count > 0; count--)
    errors.push(invalid(field, listed, 'conflicting scopes'));
  return errors;
}

/** The selector as upstream prints its Go form. */
function printedSelector({ matchExpressions = [] }: NonNullable<ResourceQuotaSpec['scopeSelector']>): object {
  return {
    MatchExpressions: matchExpressions.map(({ scopeName, operator, values }) => ({
      ScopeName: scopeName,
      Operator: operator,
      Values: values ?? null,
    })),
  };
}

function validateScopeSelector(spec: ResourceQuotaSpec): FieldError[] {
  const { scopeSelector } = spec;
  if (!scopeSelector) return [];
  const field = 'spec.scopeSelector.matchExpressions';
  const errors: FieldError[] = [];
  const expressions = scopeSelector.matchExpressions ?? [];
  for (const { scopeName, operator, values = [] } of expressions) {
    if (!scopes.has(scopeName)) errors.push(invalid(`${field}.scopeName`, scopeName, 'unsupported scope'));
    for (const _ of misplaced(spec, scopeName)) {
      const detail = 'unsupported scope applied to resource';
      errors.push(invalid(field, printedSelector(scopeSelector), detail));
    }
    if (existenceScopes.has(scopeName) && operator !== 'Exists') {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(`${field}.operator`, operator, detail));
    }
    if (operator === 'In' || operator === 'NotIn') {
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (values.length === 0) errors.push(required(`${field}.values`, detail));
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (values.length > 0) errors.push(invalid(`${field}.values`, values, detail));
    } else errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  }
  for (let count = conflicts(new Set(expressions.map(({ scopeName }) => scopeName))); count > 0; count--)
    errors.push(invalid(field, spec.scopes ?? null, 'conflicting scopes'));
  return errors;
}

function validateSpec(spec: ResourceQuotaSpec): FieldError[] {
  return [...validateList(spec.hard, 'spec.hard'), ...validateScopes(spec), ...validateScopeSelector(spec)];
}

/** `status.hard` and `status.used`. */
export function validateResourceQuotaStatus({ status }: ResourceQuota): FieldError[] {
  return [...validateList(status?.hard, 'status.hard'), ...validateList(status?.used, 'status.used')];
}

/** `ValidateResourceQuota` of upstream, without the metadata. */
export function validateResourceQuota(quota: ResourceQuota): FieldError[] {
  return [...validateSpec(quota.spec ?? {}), ...validateResourceQuotaStatus(quota)];
}

/** An update may change what is allowed, not to which objects it applies. */
export function validateResourceQuotaUpdate(next: ResourceQuota, old: Live<ResourceQuota>): FieldError[] {
  const errors = validateSpec(next.spec ?? {});
  const before = new Set<string>(old.spec?.scopes);
  const after = new Set<string>(next.spec?.scopes);
  if (before.size !== after.size || [...before].some((scope) => !after.has(scope)))
    errors.push(invalid('spec.scopes', next.spec?.scopes ?? null, 'field is immutable'));
  return errors;
}
