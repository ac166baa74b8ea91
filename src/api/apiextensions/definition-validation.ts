import type { CelBase } from '../../machinery/cel/environment.ts';
import {
  ruleCompileErrors,
  ruleShapeErrors,
} from '../../machinery/validation-rules/rule-definition-errors.ts';
import { sameValue } from '../../machinery/same-value.ts';
import { forbidden, invalid, notSupported, required, type FieldError } from '../../machinery/field-error.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { structuralSchema } from '../../machinery/structural/structural-schema.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { approvalState, isProtectedGroup } from './api-approval.ts';
import { conversionErrors } from './conversion-validation.ts';
import { validateDefaults } from './default-validation.ts';
import { validateOpenapiSchema } from './schema-validation.ts';
import { selectableFieldErrors } from './selectable-fields.ts';
import { validateStructural } from './structural-validation.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
} from './v1.gen.ts';

export interface DefinitionValidation {
  readonly table: SchemaTable;
  /** What validation rules are compiled with; asked for when there are any. */
  readonly celBase: () => CelBase;
}

/** What is wrong with a new definition. */
export function validateDefinition(
  definition: CustomResourceDefinition,
  options: DefinitionValidation,
): FieldError[] {
  const { metadata, spec } = definition;
  const name = metadata.name ?? '';
  const wanted = `${spec.names.plural}.${spec.group}`;
  return [
    ...(name !== '' && name !== wanted
      ? [invalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')]
      : []),
    ...specErrors(spec, options),
    ...statusErrors(definition),
    ...approvalErrors(definition),
    ...preserveErrors(spec),
  ];
}

/** What is wrong with a changed definition. */
export function validateDefinitionUpdate(
  next: CustomResourceDefinition,
  old: CustomResourceDefinition,
  options: DefinitionValidation,
): FieldError[] {
  const established = old.status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  );
  const same = (get: (spec: CustomResourceDefinitionSpec) => string, path: string): FieldError[] =>
    validateImmutable(get(next.spec), get(old.spec), path);
  const unapproved =
    approvalState(next.metadata.annotations).state === approvalState(old.metadata.annotations).state;
  return [
    ...specErrors(next.spec, options, old.spec),
    ...(established
      ? [...same((spec) => spec.scope, 'spec.scope'), ...same((spec) => spec.names.kind, 'spec.names.kind')]
      : []),
    ...same((spec) => spec.group, 'spec.group'),
    ...same((spec) => spec.names.plural, 'spec.names.plural'),
    ...statusErrors(next),
    ...(unapproved ? [] : approvalErrors(next)),
    ...(old.spec.preserveUnknownFields ? [] : preserveErrors(next.spec)),
  ];
}

/** What is wrong with a changed status. */
export function validateDefinitionStatus(definition: CustomResourceDefinition): FieldError[] {
  return acceptedErrors(definition);
}

function preserveErrors({ preserveUnknownFields }: CustomResourceDefinitionSpec): FieldError[] {
  const detail =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return preserveUnknownFields ? [invalid('spec.preserveUnknownFields', true, detail)] : [];
}

function approvalErrors({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  if (!isProtectedGroup(spec.group)) return [];
  const { state, reason } = approvalState(metadata.annotations);
  const path = 'metadata.annotations[api-approved.kubernetes.io]';
  if (state === 'missing') return [required(path, reason)];
  const value = metadata.annotations?.['api-approved.kubernetes.io'];
  return state === 'invalid' ? [invalid(path, value, reason)] : [];
}

/** What all versions say alike stands, as in upstream's internal form, above the versions. */
function isCommon(
  { versions }: CustomResourceDefinitionSpec,
  part: 'schema' | 'subresources' | 'additionalPrinterColumns' | 'selectableFields',
): boolean {
  return versions.every((version) => sameValue(version[part], versions[0]?.[part]));
}

function specErrors(
  spec: CustomResourceDefinitionSpec,
  options: DefinitionValidation,
  old?: CustomResourceDefinitionSpec,
): FieldError[] {
  const { versions } = spec;
  const errors = [...groupErrors(spec.group), ...scopeErrors(spec.scope)];
  versions.forEach((version, index) => {
    if (!version.schema?.openAPIV3Schema)
      errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
  });
  const common = {
    schema: isCommon(spec, 'schema'),
    subresources: isCommon(spec, 'subresources'),
    additionalPrinterColumns: isCommon(spec, 'additionalPrinterColumns'),
    selectableFields: isCommon(spec, 'selectableFields'),
  };
  versions.forEach((version, index) => {
    const path = `spec.versions[${index}]`;
    const nameProblems = dns1035LabelErrors(version.name);
    if (nameProblems.length > 0) errors.push(invalid(`${path}.name`, version.name, nameProblems.join(',')));
    errors.push(...deprecationErrors(version, path));
    const before = old?.versions.find(({ name }) => name === version.name)?.schema?.openAPIV3Schema;
    if (!common.schema) errors.push(...schemaErrors(version, `${path}.schema`, options, before));
    if (!common.subresources) errors.push(...subresourceErrors(version.subresources, `${path}.subresources`));
    if (!common.additionalPrinterColumns) {
      errors.push(...columnErrors(version.additionalPrinterColumns, `${path}.additionalPrinterColumns`));
    }
    if (!common.selectableFields) {
      errors.push(...selectableFieldErrors(version, `${path}.selectableFields`));
    }
  });
  const shown = versions.length === 0 ? versions : internalVersions(versions, common);
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalid('spec.versions', shown, 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.push(invalid('spec.versions', shown, detail));
  }
  const [first] = versions;
  if (first) {
    const problems = dns1035LabelErrors(first.name);
    if (problems.length > 0) errors.push(invalid('spec.version', first.name, problems.join(',')));
  }
  for (const part of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!spec.names[part]) errors.push(required(`spec.names.${part}`));
  }
  errors.push(...nameErrors(spec.names, 'spec.names'));
  if (first) {
    const before = old?.versions.find(({ name }) => name === first.name)?.schema?.openAPIV3Schema;
    if (common.schema) errors.push(...schemaErrors(first, 'spec.validation', options, before));
    if (common.selectableFields) errors.push(...selectableFieldErrors(first, 'spec.selectableFields'));
    if (common.subresources) errors.push(...subresourceErrors(first.subresources, 'spec.subresources'));
    if (common.additionalPrinterColumns) {
      errors.push(...columnErrors(first.additionalPrinterColumns, 'spec.additionalPrinterColumns'));
    }
  }
  errors.push(...conversionErrors(spec.conversion, 'spec.conversion'));
  return errors;
}

function groupErrors(group: string): FieldError[] {
  if (!group) return [required('spec.group')];
  const problems = dns1123SubdomainErrors(group);
  if (problems.length > 0) return [invalid('spec.group', group, problems.join(','))];
  return group.includes('.')
    ? []
    : [invalid('spec.group', group, 'should be a domain with at least one dot')];
}

function scopeErrors(scope: string): FieldError[] {
  if (!scope) return [required('spec.scope')];
  const scopes = ['Cluster', 'Namespaced'];
  return scopes.includes(scope) ? [] : [notSupported('spec.scope', scope, scopes)];
}

/** The versions as upstream's internal form prints them. */
function internalVersions(
  versions: readonly CustomResourceDefinitionVersion[],
  common: Readonly<Record<string, boolean>>,
): object[] {
  const unlessCommon = (part: string, value: unknown): unknown => (common[part] ? null : (value ?? null));
  return versions.map((version) => ({
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated ?? false,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: unlessCommon('schema', version.schema),
    Subresources: unlessCommon('subresources', version.subresources),
    AdditionalPrinterColumns: unlessCommon('additionalPrinterColumns', version.additionalPrinterColumns),
    SelectableFields: unlessCommon('selectableFields', version.selectableFields),
  }));
}

function deprecationErrors(
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  if (deprecationWarning === undefined) return [];
  const wrong = (detail: string): FieldError[] => [
    invalid(`${path}.deprecationWarning`, deprecationWarning, detail),
  ];
  if (!deprecated) return wrong('can only be set for deprecated versions');
  const length = Buffer.byteLength(deprecationWarning);
  if (length === 0) return wrong('must not be an empty string');
  if (length > 256) return wrong(`must be <= 256 bytes, got ${length}`);
  const at = deprecationWarning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  return at < 0
    ? []
    : wrong(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`);
}

const rootFields: readonly (readonly [string, string])[] = [
  ['description', 'Description'],
  ['type', 'Type'],
  ['format', 'Format'],
  ['title', 'Title'],
  ['maximum', 'Maximum'],
  ['exclusiveMaximum', 'ExclusiveMaximum'],
  ['minimum', 'Minimum'],
  ['exclusiveMinimum', 'ExclusiveMinimum'],
  ['maxLength', 'MaxLength'],
  ['minLength', 'MinLength'],
  ['pattern', 'Pattern'],
  ['maxItems', 'MaxItems'],
  ['minItems', 'MinItems'],
  ['uniqueItems', 'UniqueItems'],
  ['multipleOf', 'MultipleOf'],
  ['required', 'Required'],
  ['items', 'Items'],
  ['properties', 'Properties'],
  ['externalDocs', 'ExternalDocs'],
  ['example', 'Example'],
  ['x-kubernetes-preserve-unknown-fields', 'XPreserveUnknownFields'],
  ['x-kubernetes-validations', 'XValidations'],
];

function schemaErrors(
  version: CustomResourceDefinitionVersion,
  path: string,
  options: DefinitionValidation,
  old?: JSONSchemaProps,
): FieldError[] {
  const schema = version.schema?.openAPIV3Schema;
  if (!schema) return [];
  const at = `${path}.openAPIV3Schema`;
  const errors: FieldError[] = [];
  if (version.subresources?.status) errors.push(...statusRootErrors(schema, at));
  if (schema.nullable) errors.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'));
  const { errors: keywordErrors, unsupported } = validateOpenapiSchema(schema, at);
  errors.push(...keywordErrors);
  if (unsupported) return errors;
  const structural = validateStructural(schema, at);
  if (structural.length > 0) return [...errors, ...structural];
  const { table, celBase } = options;
  const root = structuralSchema(schema);
  const ruled = hasRules(schema);
  if (ruled) errors.push(...ruleShapeErrors(root, at));
  if (ruled && errors.length === 0) {
    const checks = old !== undefined && sameValue(schema, old) ? 'total' : 'all';
    errors.push(...ruleCompileErrors(root, at, { base: celBase, checks }));
  }
  return [...errors, ...validateDefaults(root, at, { table, isResource: true })];
}

/** Whether there are rules anywhere in the schema; most have none. */
function hasRules(schema: JSONSchemaProps): boolean {
  if (schema['x-kubernetes-validations']) return true;
  const { properties, items, additionalProperties } = schema;
  for (const name in properties) {
    const property = properties[name];
    if (property && hasRules(property)) return true;
  }
  if ([items ?? []].flat().some(hasRules)) return true;
  return typeof additionalProperties === 'object' && hasRules(additionalProperties);
}

/** With a status of its own, the root's schema must not say what would be lost for status. */
function statusRootErrors(schema: JSONSchemaProps, path: string): FieldError[] {
  if (schema.type && schema.type !== 'object') {
    const detail =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
    return [invalid(`${path}.type`, schema.type, detail)];
  }
  const allowed = new Set(rootFields.map(([name]) => name));
  if (Object.keys(schema).every((name) => allowed.has(name))) return [];
  const names = rootFields.map(([, name]) => name).join(' ');
  const detail = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [forbidden(path, detail)];
}

function nameErrors(names: CustomResourceDefinitionNames, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const label = (at: string, value: string): void => {
    const problems = dns1035LabelErrors(value);
    if (problems.length > 0) errors.push(invalid(`${path}.${at}`, value, problems.join(',')));
  };
  const kind = (at: string, value: string): void => {
    const problems = dns1035LabelErrors(value.toLowerCase());
    const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
    if (problems.length > 0) errors.push(invalid(`${path}.${at}`, value, detail));
  };
  if (names.plural) label('plural', names.plural);
  if (names.singular) label('singular', names.singular);
  if (names.kind) kind('kind', names.kind);
  if (names.listKind) kind('listKind', names.listKind);
  names.shortNames?.forEach((name, index) => {
    label(`shortNames[${index}]`, name);
  });
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
  names.categories?.forEach((name, index) => {
    label(`categories[${index}]`, name);
  });
  return errors;
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function columnErrors(
  columns: readonly CustomResourceColumnDefinition[] | undefined,
  path: string,
): FieldError[] {
  return (columns ?? []).flatMap(({ name, type, format, jsonPath }, index) => {
    const at = `${path}[${index}]`;
    const typeDetail = `must be one of ${columnTypes.join(',')}`;
    return [
      ...(name ? [] : [required(`${at}.name`)]),
      ...(type
        ? columnTypes.includes(type)
          ? []
          : [invalid(`${at}.type`, type, typeDetail)]
        : [required(`${at}.type`, typeDetail)]),
      ...(format && !columnFormats.includes(format)
        ? [invalid(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`)]
        : []),
      ...(jsonPath ? [] : [required(`${at}.JSONPath`)]),
    ];
  });
}

function subresourceErrors(subresources: CustomResourceSubresources | undefined, path: string): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const errors: FieldError[] = [];
  const check = (name: string, value: string, rule: { prefixes: string[]; detail: string }): void => {
    const at = `${path}.scale.${name}`;
    if (!value.startsWith('.')) {
      errors.push(invalid(at, value, 'must be a simple json path starting with .'));
    } else if (!rule.prefixes.some((prefix) => value.startsWith(prefix))) {
      errors.push(invalid(at, value, rule.detail));
    }
  };
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  if (!specReplicasPath) errors.push(required(`${path}.scale.specReplicasPath`));
  else {
    const rule = { prefixes: ['.spec.'], detail: 'should be a json path under .spec' };
    check('specReplicasPath', specReplicasPath, rule);
  }
  if (!statusReplicasPath) errors.push(required(`${path}.scale.statusReplicasPath`));
  else {
    const rule = { prefixes: ['.status.'], detail: 'should be a json path under .status' };
    check('statusReplicasPath', statusReplicasPath, rule);
  }
  if (labelSelectorPath) {
    const detail = 'should be a json path under either .spec or .status';
    check('labelSelectorPath', labelSelectorPath, { prefixes: ['.spec.', '.status.'], detail });
  }
  return errors;
}

function statusErrors(definition: CustomResourceDefinition): FieldError[] {
  const { spec, status } = definition;
  return [...acceptedErrors(definition), ...storedVersionErrors(status?.storedVersions ?? [], spec.versions)];
}

function acceptedErrors({ status }: CustomResourceDefinition): FieldError[] {
  return status ? nameErrors(status.acceptedNames, 'status.acceptedNames') : [];
}

function storedVersionErrors(
  stored: readonly string[],
  versions: readonly CustomResourceDefinitionVersion[],
): FieldError[] {
  const path = 'status.storedVersions';
  if (stored.length === 0) return [invalid(path, null, 'must have at least one stored version')];
  // Each stored version stands for one version of the definition: a second of that name finds none.
  const missing = new Map(stored.map((name, index) => [name, index]));
  const errors = versions.flatMap(({ name, storage }) => {
    const isFound = missing.delete(name);
    return storage && !isFound ? [invalid(path, stored, `must have the storage version ${name}`)] : [];
  });
  for (const [name, index] of missing) {
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(`${path}[${index}]`, name, detail));
  }
  return errors;
}
