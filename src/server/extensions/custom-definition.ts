import { sameValue } from '../../machinery/same-value.ts';
import { isTrue } from '../../api/apiextensions/definition-conditions.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../api/apiextensions/v1.gen.ts';
import type { ResourceDefinition, ScaleMapping } from '../../api/resource.ts';
import { invalid, type FieldError } from '../../machinery/field-error.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { newForbidden } from '../../machinery/status/errors.ts';
import { correlate } from '../../machinery/structural/correlation.ts';
import { validateEmbedded } from '../../machinery/structural/embedded-meta.ts';
import { fillDefaults } from '../../machinery/structural/fill-defaults.ts';
import type { CompileRules, RuleSubject, RuleValidator } from '../../machinery/structural/rule-validator.ts';
import { validateListTypes } from '../../machinery/structural/validate-list-types.ts';
import { validateValue } from '../../machinery/structural/validate-value.ts';
import { compareVersions } from '../discovery/discovery-documents.ts';
import { customColumns, finder } from './custom-columns.ts';
import { customForm, type CustomVersion } from './custom-form.ts';
import type { ExtensionsObserver } from './extensions-observer.ts';
import { openapiName } from './published-schema.ts';
import { scaleErrors } from './scale-errors.ts';

export interface CustomDefinitionOptions {
  readonly table: SchemaTable;
  readonly compileRules?: CompileRules;
  readonly observer?: ExtensionsObserver;
  /** The newest state of the definition. */
  current(): CustomResourceDefinition;
}

type Custom = KubeObject & Readonly<Record<string, unknown>>;

/** The definition that serves one version of a custom resource; no other version is known to it. */
export function customDefinition(
  declared: CustomResourceDefinitionVersion,
  version: CustomVersion,
  options: CustomDefinitionOptions,
): ResourceDefinition<Custom> {
  const { type, schema } = version;
  const { table, observer } = options;
  const { subresources = {}, selectableFields = [] } = declared;
  const { scale } = subresources;
  const hasStatus = subresources.status !== undefined;
  const rules = rulesOnce(version, options);
  const checks = (object: Custom): FieldError[] => [
    ...validateEmbedded(object, schema, { path: '', table }),
    ...validateListTypes(object, schema, ''),
  ];
  const onUpdate = (next: Custom, old: Live<Custom>, part: 'both' | 'status'): FieldError[] => {
    let spent = 0;
    const correlation = correlate(next, old, schema, (compare) => {
      const since = observer?.now() ?? 0;
      const same = compare();
      spent += (observer?.now() ?? 0) - since;
      return same;
    });
    const listErrors =
      validateListTypes(old, schema, '').length > 0 ? [] : validateListTypes(next, schema, '');
    const valueErrors = validateValue(next, schema.props, { correlation });
    observer?.compared(spent);
    return [
      ...valueErrors,
      ...scaleErrors(next, scale, part),
      ...validateEmbedded(next, schema, { path: '', table }),
      ...listErrors,
    ];
  };
  return {
    storage: type.version,
    versions: {
      [type.version]: {
        type: { ...type, object: undefined as never },
        schema: openapiName(type),
        ...(declared.deprecated && {
          deprecated: declared.deprecationWarning ?? deprecation(options.current(), declared.name),
        }),
        defaults: (object) => fillDefaults(object, schema),
        custom: customForm(version),
      },
    },
    unconditionalUpdate: false,
    qualifiedFinalizers: false,
    generation: true,
    generationChanged: (next, old) => !sameValue(content(next, hasStatus), content(old, hasStatus)),
    ...(hasStatus && {
      status: { resets: ['metadata', 'spec'], validate: (next, old) => onUpdate(next, old, 'status') },
    }),
    ...(scale && { scale: scaleMapping(scale) }),
    prepareForCreate(object) {
      if (isTrue(options.current(), 'Terminating')) {
        const resource = { group: type.group, resource: type.resource };
        const detail = 'create not allowed while custom resource definition is terminating';
        throw newForbidden(resource, object.metadata.name ?? '', detail);
      }
      if (hasStatus) delete (object as { status?: unknown }).status;
    },
    prepareForUpdate(next, old) {
      if (hasStatus) keepStatus(next, old);
    },
    validate(object) {
      return [
        ...validateValue(object, schema.props),
        ...scaleErrors(object, scale, 'both'),
        ...checks(object),
      ];
    },
    validateUpdate: (next, old) => onUpdate(next, old, 'both'),
    validateRules(own, next, old) {
      const subject: RuleSubject = old
        ? { object: next, oldObject: old, correlation: correlate(next, old, schema) }
        : { object: next };
      return withRules(own, rules(), subject);
    },
    selectableFields: Object.fromEntries(
      selectableFields.map(({ jsonPath }) => [jsonPath.slice(1), fieldReader(jsonPath)]),
    ),
    columns: customColumns(declared.additionalPrinterColumns),
  };
}

function rulesOnce(
  { schema }: CustomVersion,
  { compileRules }: CustomDefinitionOptions,
): () => RuleValidator | undefined {
  let made: { readonly rules: RuleValidator | undefined } | undefined;
  return () => {
    made ??= { rules: compileRules?.(schema) };
    return made.rules;
  };
}

const blocking: ReadonlySet<string> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

/** Names the version to use in place of a deprecated one. */
function deprecation({ spec }: CustomResourceDefinition, name: string): string {
  const { group, names } = spec;
  const [better] = spec.versions
    .filter((version) => version.served && !version.deprecated)
    .map((version) => version.name)
    .sort(compareVersions);
  const text = `${group}/${name} ${names.kind} is deprecated`;
  return better === undefined ? text : `${text}; use ${group}/${better} ${names.kind}`;
}

/** Rules see only what has the right shape. */
function withRules(
  errors: FieldError[],
  rules: RuleValidator | undefined,
  subject: RuleSubject,
): FieldError[] | Promise<FieldError[]> {
  if (!rules) return errors;
  if (!errors.some(({ reason }) => blocking.has(reason))) {
    const found = rules.validate(subject);
    if (found instanceof Promise) return found.then((later) => [...errors, ...later]);
    return [...errors, ...found];
  }
  const detail =
    'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';
  return [...errors, invalid('<nil>', null, detail)];
}

/** What a new generation is made for: all but metadata and, when it is written apart, status. */
function content(object: object, hasStatus: boolean): object {
  const { metadata: _metadata, ...rest } = object as { metadata?: unknown; status?: unknown };
  if (!hasStatus) return rest;
  const { status: _status, ...others } = rest;
  return others;
}

function keepStatus(next: DeepMutable<Custom>, old: Live<Custom>): void {
  const { status } = old as { readonly status?: unknown };
  if (status === undefined) delete (next as { status?: unknown }).status;
  else (next as { status?: unknown }).status = structuredClone(status);
}

function scaleMapping(scale: {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}): ScaleMapping {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  const read = labelSelectorPath ? fieldReader(labelSelectorPath) : () => '';
  return { specReplicasPath, statusReplicasPath, requiresReplicas: true, selector: (object) => read(object) };
}

function fieldReader(path: string): (object: KubeObject) => string {
  const find = finder(path);
  return (object) => {
    const [value] = find(object);
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
      ? String(value)
      : '';
  };
}
