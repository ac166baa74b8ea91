import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import type { AuditPolicy } from './policy.ts';

const levels = ['None', 'Metadata', 'Request', 'RequestResponse'];
const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];

/** What is wrong with an audit policy; one line each. */
export class AuditPolicyError extends Error {
  override readonly name = 'AuditPolicyError';
  readonly code = 'AUDIT_POLICY';
}

/** Reads an `audit.k8s.io/v1 Policy` from YAML or JSON. Throws {@link AuditPolicyError} with everything that is wrong. */
export function parseAuditPolicy(text: string): AuditPolicy {
  const { value } = parseYaml(text);
  const policy = isObject(value) ? value : {};
  const problems: string[] = [];
  if (policy['apiVersion'] !== 'audit.k8s.io/v1' || policy['kind'] !== 'Policy')
    problems.push('apiVersion and kind must be audit.k8s.io/v1 and Policy');
  const rules = policy['rules'];
  if (!Array.isArray(rules) || rules.length === 0) problems.push('rules: at least one rule is needed');
  else rules.forEach((rule: unknown, at) => problems.push(...ruleProblems(rule, `rules[${at}]`)));
  problems.push(...stageProblems(policy['omitStages'], 'omitStages'));
  if (problems.length > 0) throw new AuditPolicyError(problems.join('\n'));
  return policy as object as AuditPolicy;
}

function ruleProblems(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path}: must be an object`];
  const problems: string[] = [];
  const { level } = value;
  if (typeof level !== 'string' || !levels.includes(level))
    problems.push(`${path}.level: must be one of ${levels.join(', ')}`);
  for (const name of ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs']) {
    if (!isTexts(value[name])) problems.push(`${path}.${name}: must be a list of texts`);
  }
  const urls = value['nonResourceURLs'];
  const { resources } = value;
  const names = Array.isArray(resources) ? resources : [];
  if (resources !== undefined && !Array.isArray(resources))
    problems.push(`${path}.resources: must be a list`);
  const namespaces = value['namespaces'];
  if (filled(urls) && (names.length > 0 || filled(namespaces)))
    problems.push(
      `${path}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`,
    );
  if (Array.isArray(urls))
    for (const url of urls as unknown[])
      if (!isUrl(url))
        problems.push(
          `${path}.nonResourceURLs: ${JSON.stringify(url)} must begin with a / and may have a * only at its end`,
        );
  names.forEach((one: unknown, at) => problems.push(...groupProblems(one, `${path}.resources[${at}]`)));
  return [...problems, ...stageProblems(value['omitStages'], `${path}.omitStages`)];
}

function groupProblems(value: unknown, path: string): string[] {
  if (!isObject(value)) return [`${path}: must be an object`];
  const { group = '', resources, resourceNames } = value;
  const problems: string[] = [];
  if (typeof group !== 'string' || group.includes('/'))
    problems.push(`${path}.group: must be the name of a group, without a version`);
  if (!isTexts(resources)) problems.push(`${path}.resources: must be a list of texts`);
  if (!isTexts(resourceNames)) problems.push(`${path}.resourceNames: must be a list of texts`);
  if (filled(resourceNames) && !filled(resources))
    problems.push(`${path}.resourceNames: using resourceNames requires at least one resource`);
  return problems;
}

function stageProblems(value: unknown, path: string): string[] {
  if (value === undefined) return [];
  const valid = Array.isArray(value) && value.every((stage) => stages.includes(stage as string));
  return valid ? [] : [`${path}: must be a list of ${stages.join(', ')}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}

function filled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && (value === '*' || /^\/[^*]*\*?$/.test(value));
}
