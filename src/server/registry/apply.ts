import { parseJson } from '../../machinery/json/parse-json.ts';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import { newUnconvertible, type AppliedObject } from '../../machinery/managed-fields/field-manager.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { isObject, type JsonObject } from '../../machinery/patch/json-value.ts';
import { DecodeError } from '../../machinery/schema/decode-error.ts';
import { newBadRequest, newConflict } from '../../machinery/status/errors.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { YamlError } from '../../machinery/yaml/yaml-error.ts';
import type { Answer } from './answer.ts';
import { decodePatched, type Expected } from './codec.ts';
import { createDecoded } from './create.ts';
import { expectedBody } from './expected-body.ts';
import { matchNamespace } from './object-meta.ts';
import { applyTo, setManagedFields } from './ownership.ts';
import type { Registry, RequestBody, RequestContext } from './request-context.ts';
import { groupResource, type ServedVersion } from './served-resource.ts';
import { changeObject, checkName } from './update.ts';
import type { WriteOptions } from './write-options.ts';

/** The media type of an applied configuration, which may be JSON as well. */
export const applyType = 'application/apply-patch+yaml';

/** PATCH with an applied configuration: of an object, its status or another part, or of an object that does not exist yet. */
export async function applyObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  options: WriteOptions,
): Promise<Answer> {
  const { request } = context;
  const { dryRun } = options;
  const { config, duplicates } = readConfig(context);
  const patch = { config, kind: served.type.kind, force: options.force };
  const expected = expectedBody(registry.schema, served);
  const decoded = (applied: AppliedObject): DeepMutable<KubeObject> => {
    reportRepeated(duplicates, context, options);
    const object = decodeApplied(applied, config, expected);
    checkName(object, request.name ?? '');
    return object;
  };
  const create = async (): ReturnType<typeof createDecoded> => {
    const applied = await applyTo(registry, served, context, { patch, old: undefined });
    const object = decoded(applied);
    const { name = '', uid } = object.metadata;
    if (uid) {
      const detail = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw newConflict(groupResource(served), name, detail);
    }
    delete object.metadata.resourceVersion;
    matchNamespace(object.metadata, served.type.namespaced, request.namespace);
    const { managedFields } = applied;
    return createDecoded(registry, served, { ...context, object, dryRun, managedFields });
  };
  return changeObject(registry, served, context, {
    dryRun,
    owners: 'given',
    async next(old) {
      const applied = await applyTo(registry, served, context, { patch, old });
      const object = decoded(applied);
      if ((object.metadata.namespace ?? '') !== (old.metadata.namespace ?? '')) {
        throw newBadRequest(
          'the namespace of the provided object does not match the namespace sent on the request',
        );
      }
      served.version.defaults?.(object);
      const stored = served.version.toStorage?.(object) ?? object;
      setManagedFields(stored, applied.managedFields);
      return stored;
    },
    ...(request.subresource === undefined ? { create } : {}),
  });
}

/** The object that a configuration makes. Throws upstream's 500 for values that fit no field. */
export function decodeApplied(
  applied: AppliedObject,
  config: JsonObject,
  expected: Expected,
): DeepMutable<KubeObject> {
  try {
    return decodePatched(applied.object, expected).object as DeepMutable<KubeObject>;
  } catch (error) {
    if (error instanceof DecodeError) throw newUnconvertible(config, error.message);
    throw error;
  }
}

/** A configuration and the keys that it repeats, in upstream's words. */
export interface ReadConfig {
  readonly config: JsonObject;
  readonly duplicates: readonly string[];
}

/** Reads an applied configuration. Throws a BadRequest for what is no object. */
export function readConfig({ body }: RequestContext): ReadConfig {
  const { value, duplicates } = parsed(body);
  if (value !== null && value !== undefined && !isObject(value)) {
    const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw newBadRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  return { config: isObject(value) ? value : {}, duplicates };
}

/** Warns of, or refuses, keys that repeat; once the configuration has been applied, as upstream. */
export function reportRepeated(
  duplicates: readonly string[],
  context: RequestContext,
  options: WriteOptions,
): void {
  if (duplicates.length === 0 || options.fieldValidation === 'Ignore') return;
  const problem = `error converting YAML to JSON: yaml: unmarshal errors:\n${duplicates.map((text) => `  ${text}`).join('\n')}`;
  if (options.fieldValidation === 'Strict') throw newBadRequest(`error strict decoding YAML: ${problem}`);
  context.warn(problem);
}

interface ParsedConfig {
  readonly value: unknown;
  readonly duplicates: readonly string[];
}

function parsed(body: RequestBody | undefined): ParsedConfig {
  if (!body) return { value: undefined, duplicates: [] };
  if (body.type === 'object') return { value: body.value, duplicates: [] };
  const json = attemptJson(body.bytes);
  if (json) return json;
  try {
    return parseYaml(body.bytes.toString());
  } catch (error) {
    if (error instanceof YamlError) throw newBadRequest(`error decoding YAML: ${yamlProblem(error)}`);
    throw error;
  }
}

function yamlProblem(error: YamlError): string {
  return `error converting YAML to JSON: yaml: ${error.message}`;
}

/** JSON, unless a key repeats: YAML tells of those in its own words. */
function attemptJson(bytes: Buffer): ParsedConfig | undefined {
  try {
    const { value, duplicates } = parseJson(bytes);
    return duplicates.length === 0 ? { value, duplicates } : undefined;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}
