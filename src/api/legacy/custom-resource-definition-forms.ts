import type { DeepMutable } from '../../machinery/object.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
  WebhookClientConfig,
} from '../apiextensions/v1.gen.ts';
import type { Form, LegacyForm } from './legacy-version.ts';

type NewVersion = DeepMutable<CustomResourceDefinitionVersion>;
type NewSpec = DeepMutable<CustomResourceDefinition>['spec'];

interface OldColumn extends Omit<DeepMutable<CustomResourceColumnDefinition>, 'jsonPath'> {
  JSONPath: string;
}

/** What stands at the top of the old form for all versions, or in each version. */
interface Common {
  subresources?: NewVersion['subresources'];
  additionalPrinterColumns?: OldColumn[];
}

interface OldVersion extends Omit<NewVersion, 'additionalPrinterColumns' | 'subresources'>, Common {}

interface OldConversion {
  strategy: string;
  webhookClientConfig?: DeepMutable<WebhookClientConfig>;
  conversionReviewVersions?: string[];
}

interface OldSpec extends Omit<NewSpec, 'versions' | 'conversion'>, Common {
  version?: string;
  versions?: OldVersion[];
  validation?: NewVersion['schema'];
  conversion?: OldConversion;
}

function defaults(object: Form): void {
  const spec = (object.spec ??= {}) as OldSpec;
  spec.scope ||= 'Namespaced';
  spec.preserveUnknownFields ??= true;
  if (!spec.versions?.length && spec.version) {
    spec.versions = [{ name: spec.version, served: true, storage: true }];
  }
  spec.conversion ??= { strategy: 'None' };
}

type Schema = DeepMutable<JSONSchemaProps>;

function typeOf({ type, properties, additionalProperties, required, items }: Schema): string | undefined {
  if (type) return type;
  if (properties || additionalProperties || required) return 'object';
  return items ? 'array' : undefined;
}

/** The schema with a type for every value, which keeps every field, as old definitions did that did not ask otherwise. */
function open(schema: Schema): Schema {
  const { properties, additionalProperties, items } = schema;
  const type = typeOf(schema);
  const intOrString = schema.format === 'int-or-string' || schema['x-kubernetes-int-or-string'];
  if (intOrString) return { ...omitType(schema), 'x-kubernetes-int-or-string': true };
  return {
    ...schema,
    ...(type !== undefined && { type }),
    ...((type === undefined || type === 'object') && { 'x-kubernetes-preserve-unknown-fields': true }),
    ...(properties && { properties: opened(properties) }),
    ...(isObject(additionalProperties) && {
      additionalProperties: open(additionalProperties),
    }),
    ...(isObject(items) && { items: open(items) }),
  };
}

function opened(properties: Record<string, Schema>): Record<string, Schema> {
  return Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, open(one)]));
}

function omitType({ type: _type, format: _format, ...others }: Schema): Schema {
  return others;
}

function openRoot(schema: NewVersion['schema']): NonNullable<NewVersion['schema']> {
  return { openAPIV3Schema: open({ type: 'object', ...schema?.openAPIV3Schema }) };
}

function versionToStored(version: OldVersion, spec: OldSpec): NewVersion {
  const { additionalPrinterColumns: own, subresources, schema, ...others } = version;
  const columns = own ?? spec.additionalPrinterColumns;
  const given = schema ?? spec.validation;
  const resources = subresources ?? spec.subresources;
  return {
    ...others,
    ...(spec.preserveUnknownFields || !given ? { schema: openRoot(given) } : { schema: given }),
    ...(resources && { subresources: resources }),
    ...(columns && {
      additionalPrinterColumns: columns.map(({ JSONPath: jsonPath, ...column }) => ({ ...column, jsonPath })),
    }),
  };
}

function toStored(object: Form): void {
  const old = object.spec as OldSpec;
  const {
    version: _version,
    versions = [],
    validation: _validation,
    subresources: _subresources,
    additionalPrinterColumns: _columns,
    preserveUnknownFields: _preserve,
    conversion,
    ...others
  } = old;
  const { strategy = 'None', webhookClientConfig, conversionReviewVersions } = conversion ?? {};
  const webhook = {
    ...(webhookClientConfig && { clientConfig: webhookClientConfig }),
    conversionReviewVersions: conversionReviewVersions ?? ['v1beta1'],
  };
  object.spec = {
    ...others,
    versions: versions.map((one) => versionToStored(one, old)),
    conversion: { strategy, ...(strategy === 'Webhook' && { webhook }) },
  };
}

function versionFromStored({ additionalPrinterColumns: columns, ...others }: NewVersion): OldVersion {
  return {
    ...others,
    ...(columns && {
      additionalPrinterColumns: columns.map(({ jsonPath: JSONPath, ...column }) => ({ ...column, JSONPath })),
    }),
  };
}

function fromStored(object: Form): void {
  const { versions, conversion, ...others } = object.spec as NewSpec;
  const old = versions.map(versionFromStored);
  const [first] = old;
  object.spec = {
    ...others,
    ...(first && { version: first.name }),
    versions: old,
    ...(conversion && {
      conversion: {
        strategy: conversion.strategy,
        ...(conversion.webhook?.clientConfig && { webhookClientConfig: conversion.webhook.clientConfig }),
        ...(conversion.webhook && {
          conversionReviewVersions: conversion.webhook.conversionReviewVersions,
        }),
      },
    }),
  };
}

export const customResourceDefinitionForms: readonly LegacyForm[] = [
  {
    group: 'apiextensions.k8s.io',
    version: 'v1beta1',
    from: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1',
    deprecated: 16,
    removed: 22,
    defaults,
    toStored,
    fromStored,
  },
];
