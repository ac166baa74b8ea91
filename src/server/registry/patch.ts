import { invalid } from '../../machinery/field-error.ts';
import { encodeJson } from '../../machinery/json/encode.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import { goPrint, isObject, type JsonObject } from '../../machinery/patch/json-value.ts';
import { applyJsonPatch } from '../../machinery/patch/json-patch.ts';
import { applyMergePatch } from '../../machinery/patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../../machinery/patch/strategic-merge-patch.ts';
import { DecodeError } from '../../machinery/schema/decode-error.ts';
import type { Decoded } from '../../machinery/schema/decode.ts';
import { newBadRequest, newInvalid, newUnsupportedMediaType } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { Answer } from './answer.ts';
import { decodePatched, type Expected } from './codec.ts';
import { applyObject, applyType } from './apply.ts';
import { convertedFrom } from './converted.ts';
import { expectedBody } from './expected-body.ts';
import type { Registry, RequestBody, RequestContext } from './request-context.ts';
import type { ServedVersion } from './served-resource.ts';
import { changeObject, checkName } from './update.ts';
import { writeOptions, type WriteOptions } from './write-options.ts';

/** The media types of patches that are served. */
export const patchTypes: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  applyType,
];

/** A patch as it was sent, with what strict decoding would refuse of it. */
export interface Patch {
  readonly type: string | undefined;
  readonly value: unknown;
  readonly strict: readonly string[];
}

const operationMembers = new Set(['op', 'path', 'from', 'value']);

/** What JSON Patch does not know of its operations, in upstream's words. */
function unknownMembers(operations: unknown): string[] {
  if (!Array.isArray(operations)) return [];
  return operations.flatMap((operation: unknown, index) =>
    isObject(operation)
      ? Object.keys(operation)
          .filter((name) => !operationMembers.has(name))
          .map((name) => `json patch unknown field "[${index}].${name}"`)
      : [],
  );
}

/** A field that is there twice in the value of an operation is so in the object, too. */
function carriedDuplicate(text: string, operations: unknown): string[] {
  const [, index, rest] = /^duplicate field "\[(\d+)\]\.value(.*)"$/.exec(text) ?? [];
  if (index === undefined || rest === undefined || !Array.isArray(operations)) return [];
  const operation: unknown = operations[Number(index)];
  const path = isObject(operation) ? operation['path'] : undefined;
  if (typeof path !== 'string') return [];
  const field = path
    .slice(1)
    .split('/')
    .map((step) =>
      /^\d+$/.test(step) ? `[${step}]` : `.${step.replaceAll('~1', '/').replaceAll('~0', '~')}`,
    )
    .join('');
  return [`duplicate field "${`${field}${rest}`.replace(/^\./, '')}"`];
}

/** Throws 415 for anything but a patch that is served. */
export function checkPatchType(type: string | undefined): void {
  if (type !== undefined && patchTypes.includes(type)) return;
  const refused = newUnsupportedMediaType(patchTypes);
  if (type?.startsWith('application/apply-patch')) throw refused;
  throw new StatusError({ ...refused.status, message: '415: Unsupported Media Type' });
}

/** Reads a patch body. Throws a BadRequest for what is no JSON. */
export function readPatch(body: RequestBody | undefined, type: string | undefined): Patch {
  if (!body) return { type, value: {}, strict: [] };
  if (body.type === 'object') return { type, value: body.value, strict: [] };
  try {
    const { value, duplicates } = parseJson(body.bytes);
    if (type !== 'application/json-patch+json') return { type, value, strict: duplicates };
    return {
      type,
      value,
      strict: [
        ...duplicates.map((text) => `json patch ${text}`),
        ...unknownMembers(value),
        ...duplicates.flatMap((text) => carriedDuplicate(text, value)),
      ],
    };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const strategic = type === 'application/strategic-merge-patch+json';
    throw newBadRequest(strategic ? error.message : `error decoding patch: ${error.message}`);
  }
}

/** A patched object, with what messages about it show: upstream shows itself, or the patch that needs the kind's schema. */
export interface PatchedObject extends Decoded {
  shown(): string;
}

/** Applies a patch of the request's type to an object and decodes the result. Throws `StatusError`. */
export function patched(patch: Patch, current: KubeObject, expected: Expected): PatchedObject {
  const document: JsonObject = { ...current };
  const result = ((): unknown => {
    switch (patch.type) {
      case 'application/json-patch+json':
        return applyJsonPatch(document, patch.value);
      case 'application/merge-patch+json':
        return applyMergePatch(document, patch.value);
      case 'application/strategic-merge-patch+json':
        return applyStrategicMergePatch(document, patch.value, {
          table: expected.table,
          message: expected.message,
        });
      default:
        throw newUnsupportedMediaType(patchTypes);
    }
  })();
  const shown = (): string =>
    patch.type === 'application/strategic-merge-patch+json' ? goPrint(patch.value) : encodeJson(result);
  try {
    const decoded = decodePatched(result, expected, current);
    return { object: decoded.object, strict: [...patch.strict, ...decoded.strict], shown };
  } catch (error) {
    if (error instanceof DecodeError) throw newInvalidPatch(shown(), error.message);
    throw error;
  }
}

function newInvalidPatch(shown: string, detail: string): StatusError {
  return newInvalid({ group: '', kind: '' }, '', [invalid('patch', shown, detail)]);
}

/** Warns of, or refuses, what a patched object has beyond the schema. */
export function reportPatched(
  decoded: PatchedObject,
  options: WriteOptions,
  warn: (message: string) => void,
): DeepMutable<KubeObject> {
  if (decoded.strict.length > 0 && options.fieldValidation === 'Strict') {
    throw newInvalidPatch(decoded.shown(), `strict decoding error: ${decoded.strict.join(', ')}`);
  }
  if (options.fieldValidation === 'Warn') for (const text of decoded.strict) warn(text);
  return decoded.object as DeepMutable<KubeObject>;
}

/** PATCH of an object, its status or another part that is a whole object of the same kind. */
export async function patchObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const { request } = context;
  checkPatchType(request.patchType);
  const options = writeOptions(request, 'PatchOptions');
  if (request.patchType === applyType) return applyObject(registry, served, context, options);
  const patch = readPatch(context.body, request.patchType);
  const expected = expectedBody(registry.schema, served);
  const next = (old: Live<KubeObject>): DeepMutable<KubeObject> => {
    const decoded = patched(patch, convertedFrom(served, old), expected);
    const object = reportPatched(decoded, options, (message) => context.warn(message));
    checkName(object, request.name ?? '');
    if ((object.metadata.namespace ?? '') !== (old.metadata.namespace ?? '')) {
      throw newBadRequest(
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    }
    served.version.defaults?.(object);
    return served.version.toStorage?.(object) ?? object;
  };
  return changeObject(registry, served, context, { dryRun: options.dryRun, next });
}
