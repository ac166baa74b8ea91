import type { CustomForm } from '../../api/custom-form.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { JsonSyntaxError } from '../../machinery/json/json-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import { decodeProtobuf } from '../../machinery/protobuf/decode-protobuf.ts';
import { unwrapEnvelope } from '../../machinery/protobuf/envelope.ts';
import { DecodeError } from '../../machinery/schema/decode-error.ts';
import { decode, decodeValue, type Decoded, type Schema } from '../../machinery/schema/decode.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { invalid } from '../../machinery/field-error.ts';
import { newBadRequest, newInvalid, newUnsupportedMediaType } from '../../machinery/status/errors.ts';
import type { StatusError } from '../../machinery/status-error.ts';
import type { RequestBody } from './request-context.ts';

/** What a body must be: a message of the schema, known by one or more kinds. */
export interface Expected {
  readonly table: SchemaTable;
  readonly message: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Of a custom resource, which no message describes. */
  readonly custom?: CustomForm;
  /** Versions of the group that are read as if they were {@link version}. */
  readonly olderVersions?: readonly string[];
}

/** What `fieldValidation` asks for. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Why no `apiVersion` and `kind` can be read from a value that is no object, in the words of Go's JSON. */
export function typeProblem(value: unknown): string | undefined {
  if (typeof value === 'object' && !Array.isArray(value)) return undefined;
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return `json: cannot unmarshal ${found} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`;
}

/** The `apiVersion` and `kind` of a body. Throws a BadRequest in upstream's words when they cannot be read. */
function typeOf(value: unknown, expected: Expected, excerpt: string): Typed {
  const unrecognized = (detail: string): StatusError =>
    newBadRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: ${detail} (${excerpt})`,
    );
  if (value === null) return { apiVersion: '', kind: '' };
  const problem = typeProblem(value);
  if (problem !== undefined) throw unrecognized(problem);
  const { apiVersion = '', kind = '' } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  for (const [field, found] of [
    ['apiVersion', apiVersion],
    ['kind', kind],
  ] as const) {
    if (typeof found !== 'string' && found !== null) {
      const word = typeof found === 'boolean' ? 'bool' : Array.isArray(found) ? 'array' : typeof found;
      throw unrecognized(`json: cannot unmarshal ${word} into Go struct field .${field} of type string`);
    }
  }
  return {
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    kind: typeof kind === 'string' ? kind : '',
  };
}

function cannotHandle(typed: Typed, expected: Expected, detail: string): StatusError {
  const version =
    typed.apiVersion === '' ? expected.version : typed.apiVersion.slice(typed.apiVersion.indexOf('/') + 1);
  return newBadRequest(
    `${typed.kind || expected.kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${detail}`,
  );
}

function checkType(typed: Typed, expected: Expected): void {
  const wanted = apiVersionOf(expected);
  const { group, version } = splitApiVersion(typed.apiVersion);
  const older = group === expected.group && expected.olderVersions?.includes(version);
  if (typed.apiVersion !== '' && typed.apiVersion !== wanted && !older) {
    if (typed.kind !== '' && typed.kind !== expected.kind)
      throw cannotHandle(typed, expected, unknownConversion(typed, expected));
    if (!isBuiltinGroup(group))
      throw cannotHandle(typed, expected, notRegistered(typed.kind, typed.apiVersion));
    throw newBadRequest(
      `the API version in the data (${typed.apiVersion}) does not match the expected API version (${wanted})`,
    );
  }
  if (typed.kind !== '' && typed.kind !== expected.kind) {
    throw cannotHandle(typed, expected, notRegistered(typed.kind, wanted));
  }
}

function notRegistered(kind: string, apiVersion: string): string {
  return `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
}

function splitApiVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const [version = '', group = ''] = apiVersion.split('/').reverse();
  return { group, version };
}

/** Kubernetes' own groups, served or not. */
function isBuiltinGroup(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io');
}

function unknownConversion(typed: Typed, expected: Expected): string {
  const { version } = splitApiVersion(typed.apiVersion);
  const internal = expected.group.split('.')[0] || 'core';
  return `converting (${version}.${typed.kind}) to (${internal}.${expected.kind}): unknown conversion`;
}

/** The start of a body for error messages: JSON objects as text, anything else in hexadecimal digits. */
function excerptOf(bytes: Buffer): string {
  const start = bytes.subarray(0, 30);
  const text = start.toString(/^\s*\{/.test(start.toString('latin1')) ? 'utf8' : 'hex');
  return bytes.length > start.length ? `${text} ...` : text;
}

/** Turns what reading a body can throw into a BadRequest; anything else is a fault of ours and passes. */
function refuse(error: unknown, answer: (detail: string) => StatusError): never {
  if (error instanceof JsonSyntaxError || error instanceof DecodeError) throw answer(error.message);
  throw error;
}

interface ParsedBody {
  readonly value: unknown;
  readonly excerpt: string;
  readonly bytes?: Buffer;
  readonly duplicates: readonly string[];
}

function parsed(body: RequestBody, expected: Expected): ParsedBody {
  if (body.type === 'object') return { value: body.value, excerpt: '', duplicates: body.duplicates ?? [] };
  const excerpt = excerptOf(body.bytes);
  try {
    return { ...parseJson(body.bytes), excerpt, bytes: body.bytes };
  } catch (error) {
    return refuse(error, (detail) =>
      newBadRequest(
        `the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: ${detail} (${excerpt})`,
      ),
    );
  }
}

/**
 * Decodes the object of a create or update. Absent `apiVersion` and `kind` are filled in. Throws a BadRequest for a body that
 * is no such object; `strict` has what strict decoding would refuse.
 */
export function decodeBody(body: RequestBody, expected: Expected): Decoded {
  if (expected.custom) return decodeCustom(body, expected, expected.custom);
  if (body.type === 'bytes' && body.mediaType === 'application/vnd.kubernetes.protobuf') {
    return decodeEnvelope(body.bytes, expected);
  }
  const schema = { table: expected.table, message: expected.message };
  const decoded = body.type === 'bytes' ? wellFormed(body.bytes, schema) : undefined;
  if (decoded) {
    const { apiVersion = '', kind = '' } = decoded.object as Partial<Typed>;
    checkType({ apiVersion, kind }, expected);
    return { object: withType(decoded.object, expected), strict: decoded.strict };
  }
  const { value, excerpt, bytes, duplicates } = parsed(body, expected);
  const typed = typeOf(value, expected, excerpt);
  checkType(typed, expected);
  try {
    const decoded = bytes ? decode(bytes, schema) : decodeValue(value, schema);
    const repeated = body.type === 'object' ? duplicates : [];
    return { object: withType(decoded.object, expected), strict: [...repeated, ...decoded.strict] };
  } catch (error) {
    return refuse(error, (detail) => cannotHandle(typed, expected, detail));
  }
}

/** A body that can be decoded; undefined when something is wrong with it, which {@link decodeBody} then says in upstream's order. */
function wellFormed(bytes: Buffer, schema: Schema): Decoded | undefined {
  try {
    return decode(bytes, schema);
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** The media types of custom resources. */
export const customMediaTypes: readonly string[] = ['application/json', 'application/yaml'];

function decodeCustom(body: RequestBody, expected: Expected, custom: CustomForm): Decoded {
  if (body.type === 'bytes' && !customMediaTypes.includes(body.mediaType)) {
    throw newUnsupportedMediaType(customMediaTypes);
  }
  const { value, excerpt, duplicates } = parsed(body, expected);
  const typed = typeOf(value, expected, excerpt);
  const wanted = apiVersionOf(expected);
  const isSent = body.type === 'bytes';
  if (isSent && typed.kind === '') {
    throw cannotHandle(typed, expected, `Object 'Kind' is missing in '${body.bytes.toString()}'`);
  }
  if ((isSent || typed.apiVersion !== '') && typed.apiVersion !== wanted) {
    throw newBadRequest(
      `the API version in the data (${typed.apiVersion}) does not match the expected API version (${wanted})`,
    );
  }
  try {
    const decoded = readCustom(value, expected, custom);
    return { object: decoded.object, strict: [...duplicates, ...decoded.strict] };
  } catch (error) {
    return refuse(error, (detail) => cannotHandle(typed, expected, detail));
  }
}

/** Throws `DecodeError`, and the Invalid of an object of another kind. */
function readCustom(value: unknown, expected: Expected, custom: CustomForm): Decoded {
  const object = { ...(value as Record<string, unknown> | null) };
  object['apiVersion'] ??= apiVersionOf(expected);
  object['kind'] ??= expected.kind;
  const decoded = custom.decode(object);
  const { kind, metadata } = decoded.object as Partial<KubeObject>;
  if (kind !== expected.kind) {
    throw newInvalid({ group: expected.group, kind: kind ?? '' }, metadata?.name ?? '', [
      invalid('kind', kind, `must be ${expected.kind}`),
    ]);
  }
  return decoded;
}

function decodeEnvelope(bytes: Buffer, expected: Expected): Decoded {
  const unrecognized = (detail: string): StatusError =>
    newBadRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): ${detail} (${excerptOf(bytes)})`,
    );
  const envelope = attempt(() => unwrapEnvelope(bytes), unrecognized);
  checkType(envelope, expected);
  const schema = { table: expected.table, message: expected.message };
  const object = attempt(
    () => decodeProtobuf(envelope.raw, schema),
    (detail) => cannotHandle(envelope, expected, detail),
  );
  return { object: withType(object, expected), strict: [] };
}

function attempt<T>(read: () => T, answer: (detail: string) => StatusError): T {
  try {
    return read();
  } catch (error) {
    return refuse(error, answer);
  }
}

/**
 * Decodes the result of a patch. What it shares with `before`, the object that was patched, need not be decoded again. Throws
 * an error whose message tells what does not fit.
 */
export function decodePatched(value: unknown, expected: Expected, before?: KubeObject): Decoded {
  if (expected.custom) return readCustom(value, expected, expected.custom);
  const { rest, kept } = before ? apart(value, before) : { rest: value, kept: undefined };
  const decoded = decodeValue(rest, { table: expected.table, message: expected.message });
  return { object: withType({ ...decoded.object, ...kept }, expected), strict: decoded.strict };
}

interface Parts {
  readonly rest: unknown;
  readonly kept: Record<string, unknown> | undefined;
}

/** The members that a patch left alone, copied, and the others. */
function apart(value: unknown, before: KubeObject): Parts {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { rest: value, kept: undefined };
  const earlier = new Map<string, unknown>(Object.entries(before));
  const rest: Record<string, unknown> = {};
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (typeof member === 'object' && member !== null && earlier.get(name) === member)
      kept[name] = mutableCopy<unknown>(member);
    else rest[name] = member;
  }
  return { rest, kept };
}

function withType(object: Record<string, unknown>, expected: Expected): Record<string, unknown> {
  return {
    ...object,
    kind: expected.kind,
    apiVersion: apiVersionOf(expected),
    metadata: object['metadata'] ?? {},
  };
}

/** Warns of, or refuses, unknown and duplicate fields, as `fieldValidation` says. */
export function reportStrict(
  decoded: Decoded,
  expected: Expected,
  options: { readonly mode: FieldValidation; warn(message: string): void },
): DeepMutable<KubeObject> {
  if (decoded.strict.length > 0 && options.mode === 'Strict') {
    throw cannotHandle(
      { apiVersion: apiVersionOf(expected), kind: expected.kind },
      expected,
      `strict decoding error: ${strictText(decoded.strict)}`,
    );
  }
  if (options.mode === 'Warn') for (const text of decoded.strict) options.warn(text);
  return decoded.object as DeepMutable<KubeObject>;
}

/** What strict decoding refuses; what YAML tells of repeated keys is one error. */
function strictText(strict: readonly string[]): string {
  const repeated = strict.filter((text) => text.startsWith('line '));
  const others = strict.filter((text) => !text.startsWith('line '));
  const yaml = `yaml: unmarshal errors:\n${repeated.map((text) => `  ${text}`).join('\n')}`;
  return (repeated.length === 0 ? others : [yaml, ...others]).join(', ');
}
