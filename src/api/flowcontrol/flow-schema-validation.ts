import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { mandatoryFlowSchema } from './bootstrap-configuration.ts';
import { validateFlowConditions } from './condition-validation.ts';
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  ServiceAccountSubject,
  Subject,
} from './v1.gen.ts';

const maxPrecedence = 10_000;
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

function each(field: string, value: string, messages: readonly string[], intro = ''): FieldError[] {
  return messages.map((message) => invalid(field, value, `${intro}${message}`));
}

function validateAccount(subject: ServiceAccountSubject | undefined, field: string): FieldError[] {
  if (!subject) return [required(field, "serviceAccount is required when subject kind is 'ServiceAccount'")];
  const { name, namespace } = subject;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${field}.name`));
  else if (name !== '*') errors.push(...each(`${field}.name`, name, dns1123SubdomainErrors(name)));
  if (namespace) errors.push(...each(`${field}.namespace`, namespace, dns1123LabelErrors(namespace)));
  else errors.push(required(`${field}.namespace`, 'must specify namespace for service account'));
  return errors;
}

function validateNamed(
  subject: { readonly name: string } | undefined,
  field: string,
  { word, kind }: { readonly word: string; readonly kind: string },
): FieldError[] {
  if (!subject) return [required(field, `${word} is required when subject kind is '${kind}'`)];
  return subject.name ? [] : [required(`${field}.name`)];
}

function validateSubject(subject: Subject, field: string): FieldError[] {
  const { kind, serviceAccount, user, group } = subject;
  const parts = [
    {
      kind: 'ServiceAccount',
      word: 'serviceAccount',
      value: serviceAccount,
      errors: () => validateAccount(serviceAccount, `${field}.serviceAccount`),
    },
    {
      kind: 'User',
      word: 'user',
      value: user,
      errors: () => validateNamed(user, `${field}.user`, { word: 'user', kind: 'User' }),
    },
    {
      kind: 'Group',
      word: 'group',
      value: group,
      errors: () => validateNamed(group, `${field}.group`, { word: 'group', kind: 'Group' }),
    },
  ];
  const own = parts.find((part) => part.kind === kind);
  if (!own) return [notSupported(`${field}.kind`, kind, ['Group', 'ServiceAccount', 'User'])];
  const foreign = parts
    .filter((part) => part !== own && part.value !== undefined)
    .map((part) =>
      forbidden(`${field}.${part.word}`, `${part.word} is forbidden when subject kind is not '${part.kind}'`),
    );
  return [...own.errors(), ...foreign];
}

interface ListRule {
  readonly field: string;
  readonly missing: string;
  readonly others: string;
}

/** A list that is not empty and in which `*` stands alone. */
function validateList(values: readonly string[], { field, missing, others }: ListRule): FieldError[] {
  if (values.length === 0) return [required(field, missing)];
  if (values.length === 1 || !values.includes('*')) return [];
  return [invalid(field, values, `if '*' is present, must not specify other ${others}`)];
}

function validateVerbs(values: readonly string[], field: string): FieldError[] {
  const errors = validateList(values, {
    field,
    missing: 'verbs must contain at least one value',
    others: 'verbs',
  });
  if (errors.length > 0 || values.includes('*') || values.every((verb) => verbs.includes(verb)))
    return errors;
  return [notSupported(field, values, verbs)];
}

function urlProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (path === '/') return undefined;
  if (!path.startsWith('/')) return 'must start with slash';
  if (path.includes(' ')) return 'must not contain white-space';
  if (path.includes('//')) return 'must not contain double slash';
  const stars = path.split('*').length - 1;
  return stars > 1 || (stars === 1 && !path.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined;
}

function validateNonResourceRule(rule: NonResourcePolicyRule, field: string): FieldError[] {
  const urls = rule.nonResourceURLs ?? [];
  const at = `${field}.nonResourceURLs`;
  const errors = [
    ...validateVerbs(rule.verbs ?? [], `${field}.verbs`),
    ...validateList(urls, {
      field: at,
      missing: 'nonResourceURLs must contain at least one value',
      others: 'non-resource URLs',
    }),
  ];
  if (urls.includes('*')) return errors;
  for (const [index, url] of urls.entries()) {
    const problem = urlProblem(url);
    if (problem !== undefined) errors.push(invalid(`${at}[${index}]`, url, problem));
  }
  return errors;
}

function validateResourceRule(rule: ResourcePolicyRule, field: string): FieldError[] {
  const namespaces = rule.namespaces ?? [];
  const errors = [
    ...validateVerbs(rule.verbs ?? [], `${field}.verbs`),
    ...validateList(rule.apiGroups ?? [], {
      field: `${field}.apiGroups`,
      missing: 'resource rules must supply at least one api group',
      others: 'api groups',
    }),
    ...validateList(rule.resources ?? [], {
      field: `${field}.resources`,
      missing: 'resource rules must supply at least one resource',
      others: 'resources',
    }),
  ];
  const at = `${field}.namespaces`;
  if (namespaces.length === 0 && rule.clusterScope) return errors;
  if (namespaces.length === 0 || namespaces.includes('*')) {
    const missing = 'resource rules that are not cluster scoped must supply at least one namespace';
    return [...errors, ...validateList(namespaces, { field: at, missing, others: 'namespaces' })];
  }
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return [
    ...errors,
    ...namespaces.flatMap((name, index) => each(`${at}[${index}]`, name, dns1123LabelErrors(name), intro)),
  ];
}

function validateRules(rules: PolicyRulesWithSubjects, field: string): FieldError[] {
  const { resourceRules = [], nonResourceRules = [] } = rules;
  const subjects = rules.subjects ?? [];
  const errors =
    subjects.length > 0
      ? subjects.flatMap((subject, index) => validateSubject(subject, `${field}.subjects[${index}]`))
      : [required(`${field}.subjects`, 'subjects must contain at least one value')];
  if (resourceRules.length + nonResourceRules.length === 0) {
    errors.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  return [
    ...errors,
    ...resourceRules.flatMap((rule, index) => validateResourceRule(rule, `${field}.resourceRules[${index}]`)),
    ...nonResourceRules.flatMap((rule, index) =>
      validateNonResourceRule(rule, `${field}.nonResourceRules[${index}]`),
    ),
  ];
}

function validateSpec(name: string | undefined, spec: FlowSchemaSpec): FieldError[] {
  const errors: FieldError[] = [];
  const precedence = spec.matchingPrecedence;
  const wrong = (detail: string): void => {
    errors.push(invalid('spec.matchingPrecedence', precedence, detail));
  };
  if (precedence <= 0) wrong('must be a positive value');
  if (precedence > maxPrecedence) wrong(`must not be greater than ${maxPrecedence}`);
  if (precedence === 1 && name !== 'exempt')
    wrong("only the schema named 'exempt' may have matchingPrecedence 1");
  const method = spec.distinguisherMethod;
  if (method && !['ByNamespace', 'ByUser'].includes(method.type)) {
    const at = 'spec.distinguisherMethod.type';
    errors.push(notSupported(at, { Type: method.type }, ['ByNamespace', 'ByUser']));
  }
  const level = spec.priorityLevelConfiguration?.name;
  const at = 'spec.priorityLevelConfiguration.name';
  if (level) errors.push(...each(at, level, dns1123SubdomainErrors(level)));
  else errors.push(required(at, 'must reference a priority level'));
  return [
    ...errors,
    ...(spec.rules ?? []).flatMap((rules, index) => validateRules(rules, `spec.rules[${index}]`)),
  ];
}

/** The spec as upstream prints its Go form. */
function printed(spec: FlowSchemaSpec): object {
  return {
    PriorityLevelConfiguration: { Name: spec.priorityLevelConfiguration.name },
    MatchingPrecedence: spec.matchingPrecedence,
    DistinguisherMethod: spec.distinguisherMethod ? { Type: spec.distinguisherMethod.type } : null,
    Rules:
      spec.rules?.map(({ subjects, resourceRules, nonResourceRules }) => ({
        Subjects: subjects.map(({ kind, user, group, serviceAccount }) => ({
          Kind: kind,
          User: user ? { Name: user.name } : null,
          Group: group ? { Name: group.name } : null,
          ServiceAccount: serviceAccount
            ? { Namespace: serviceAccount.namespace, Name: serviceAccount.name }
            : null,
        })),
        ResourceRules:
          resourceRules?.map((rule) => ({
            Verbs: rule.verbs,
            APIGroups: rule.apiGroups,
            Resources: rule.resources,
            ClusterScope: rule.clusterScope ?? false,
            Namespaces: rule.namespaces ?? null,
          })) ?? null,
        NonResourceRules:
          nonResourceRules?.map((rule) => ({ Verbs: rule.verbs, NonResourceURLs: rule.nonResourceURLs })) ??
          null,
      })) ?? null,
  };
}

/** `ValidateFlowSchema` of upstream, without the metadata. */
export function validateFlowSchema({ metadata, spec, status }: FlowSchema): FieldError[] {
  const errors = validateSpec(metadata.name, spec);
  const fixed = mandatoryFlowSchema(metadata.name);
  if (fixed && !jsonEqual(fixed, spec)) {
    errors.push(invalid('spec', printed(spec), `spec of '${metadata.name}' must equal the fixed value`));
  }
  return [...errors, ...validateFlowConditions(status?.conditions)];
}
