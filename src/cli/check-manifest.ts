import { isObject } from '../machinery/patch/json-value.ts';
import { DecodeError } from '../machinery/schema/decode-error.ts';
import { decodeValue } from '../machinery/schema/decode.ts';
import { kubernetesSchema } from '../machinery/schema/table.ts';
import { schemaName } from './schema-name.ts';

/** A mistake in a manifest. */
export interface ManifestMistake {
  readonly message: string;
  /** Where in the object, when that is known. */
  readonly path?: string;
  /** An object with it may still be sent: an unknown or repeated field. */
  readonly tolerable: boolean;
}

/** What is wrong with one object before any server has seen it: its shape, and for built-in kinds each field's name and type. */
export function checkManifest(object: Readonly<Record<string, unknown>>): ManifestMistake[] {
  const { apiVersion, kind, metadata } = object;
  const missing = (['apiVersion', 'kind'] as const)
    .filter((field) => typeof object[field] !== 'string' || object[field] === '')
    .map((field) => ({ message: `${field} not set`, tolerable: false }));
  if (missing.length > 0) return missing;
  const found: ManifestMistake[] = [];
  if (!isObject(metadata) || metadata['name'] === undefined || metadata['name'] === '') {
    const generated = isObject(metadata) && metadata['generateName'] !== undefined;
    const message = generated
      ? 'cannot use generate name with apply'
      : 'resource name may not be empty: metadata.name is not set';
    found.push({ message, tolerable: false });
  }
  return [...found, ...schemaMistakes(object, String(apiVersion), String(kind))];
}

function schemaMistakes(
  object: Readonly<Record<string, unknown>>,
  apiVersion: string,
  kind: string,
): ManifestMistake[] {
  const table = kubernetesSchema();
  const message = schemaName(table, apiVersion, kind);
  if (message === undefined) return [];
  try {
    return decodeValue(object, { table, message }).strict.map((problem) => ({
      message: problem,
      tolerable: true,
      ...pathIn(/ field "(.*)"$/, problem),
    }));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return [
      {
        message: error.message,
        tolerable: false,
        ...pathIn(/Go struct field \w+\.([^ ]+) of type/, error.message),
      },
    ];
  }
}

function pathIn(pattern: RegExp, message: string): { readonly path?: string } {
  const path = pattern.exec(message)?.[1];
  return path === undefined ? {} : { path };
}
