import { type FieldError, forbidden, invalid, tooLong } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { configMapKeyErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type ConfigMap, configmaps } from './v1.gen.ts';

/** Bytes that all values of a config map or secret may take together. */
export const MAX_DATA_BYTES: number = 1024 * 1024;

/** Configuration for pods: texts and bytes by key. */
export const configMaps: ResourceDefinition<ConfigMap> = defineResource<ConfigMap>({
  storage: 'v1',
  versions: { v1: { type: configmaps, schema: 'io.k8s.api.core.v1.ConfigMap' } },
  validate,
  validateUpdate: (next, old) => [...validateImmutable(next, old), ...validate(next)],
  columns: [
    nameColumn(),
    {
      name: 'Data',
      type: 'string',
      cell: ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
    },
    ageColumn(),
  ],
});

function validate({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(data).sort()) {
    errors.push(...keyErrors('data', key));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
  }
  for (const key of Object.keys(binaryData).sort()) errors.push(...keyErrors('binaryData', key));
  const size =
    total(data, (text) => Buffer.byteLength(text)) +
    total(binaryData, (base64) => Buffer.byteLength(base64, 'base64'));
  if (size > MAX_DATA_BYTES) errors.push(tooLong('', MAX_DATA_BYTES));
  return errors;
}

function keyErrors(field: string, key: string): FieldError[] {
  return configMapKeyErrors(key).map((message) => invalid(`${field}[${key}]`, key, message));
}

function total(values: Readonly<Record<string, string>>, bytes: (value: string) => number): number {
  return Object.values(values).reduce((sum, value) => sum + bytes(value), 0);
}

function validateImmutable(next: ConfigMap, old: ConfigMap): FieldError[] {
  if (!old.immutable) return [];
  const errors: FieldError[] = [];
  const detail = 'field is immutable when `immutable` is set';
  if (!next.immutable) errors.push(forbidden('immutable', detail));
  for (const field of ['data', 'binaryData'] as const) {
    if (!jsonEqual(next[field] ?? {}, old[field] ?? {})) errors.push(forbidden(field, detail));
  }
  return errors;
}
