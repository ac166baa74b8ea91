import { isDeepStrictEqual } from 'node:util';
import { invalid, type FieldError } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { validateEmbedded } from '../../machinery/structural/embedded-meta.ts';
import { pruneUnknown } from '../../machinery/structural/prune.ts';
import { isPlainScalar } from '../../machinery/structural/plain-scalar.ts';
import type { StructuralSchema } from '../../machinery/structural/structural-schema.ts';
import { validateValue } from '../../machinery/structural/validate-value.ts';

/** Whether the defaults of a structural schema meet it. */
export function validateDefaults(
  schema: StructuralSchema,
  path: string,
  options: { readonly table: SchemaTable; readonly isResource: boolean },
): FieldError[] {
  const { table } = options;
  const isResource = options.isResource || schema.embeddedResource;
  const errors =
    schema.default === undefined ? [] : defaultErrors(schema, `${path}.default`, { table, isResource });
  const { additionalProperties, items } = schema;
  const notable = (name: string): boolean => !isPlainScalar(schema.props.properties?.[name] ?? {});
  for (const name of schema.propertyNames.filter(notable)) {
    const property = schema.property(name);
    if (!property || (isResource && name === 'metadata')) continue;
    errors.push(...validateDefaults(property, `${path}.properties[${name}]`, { table, isResource: false }));
  }
  if (typeof additionalProperties === 'object') {
    const at = `${path}.additionalProperties`;
    errors.push(...validateDefaults(additionalProperties, at, { table, isResource: false }));
  }
  if (items) errors.push(...validateDefaults(items, `${path}.items`, { table, isResource: false }));
  return errors;
}

function defaultErrors(
  schema: StructuralSchema,
  path: string,
  { table, isResource }: { readonly table: SchemaTable; readonly isResource: boolean },
): FieldError[] {
  const errors: FieldError[] = [];
  const wrapped = { value: mutableCopy(schema.default) };
  const holder: StructuralSchema = {
    ...schema,
    embeddedResource: false,
    preserveUnknownFields: true,
    property: (name) => (name === 'value' ? schema : undefined),
  };
  if (isObject(wrapped.value) || Array.isArray(wrapped.value)) pruneUnknown(wrapped, holder);
  if (!isDeepStrictEqual(wrapped.value, schema.default)) {
    errors.push(invalid(path, schema.default, 'must not have unknown fields'));
  }
  const embedded = validateEmbedded(schema.default, schema, { path, table, isResource });
  return [
    ...errors,
    ...(embedded.length > 0 ? embedded : validateValue(schema.default, schema.props, { root: path })),
  ];
}
