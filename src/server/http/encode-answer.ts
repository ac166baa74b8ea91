import { encodeJsonBytes } from '../../machinery/json/encode.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import { newNotAcceptable } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { toYaml } from '../../machinery/yaml/to-yaml.ts';
import type { Answer, ListAnswer, ObjectAnswer } from '../registry/answer.ts';
import { listItems } from '../registry/read.ts';
import { entryJson } from '../registry/represent.ts';
import { listKind } from '../registry/served-resource.ts';
import { encodeObject } from '../../machinery/schema/encode-object.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { protobufAnswer, protobufType } from './protobuf-body.ts';
import { mediaTypes, type Negotiated } from './negotiate.ts';
import { includeObject, isStatusObject, partialMetadata, tableOf } from './table.ts';

const metadataStart = Buffer.from('"metadata":{');
const openBrace = Buffer.from('{');
const comma = Buffer.from(',');

/** JSON of the items of a list: upstream leaves `kind` and `apiVersion` out of them. */
function withoutType(json: Buffer): Buffer[] {
  const at = json.indexOf(metadataStart);
  return at < 0 ? [json] : [openBrace, json.subarray(at)];
}

/** The JSON of a list, put together from bytes that are encoded already. */
export function listJson(answer: ListAnswer): Buffer {
  const { type, version } = answer.served;
  const metadata = version.custom ? { continue: '', ...answer.metadata } : answer.metadata;
  const head = `{"kind":"${listKind(answer.served)}","apiVersion":"${apiVersionOf(type)}","metadata":${JSON.stringify(metadata)},"items":[`;
  const parts: Buffer[] = [Buffer.from(head)];
  answer.entries.forEach((entry, index) => {
    if (index > 0) parts.push(comma);
    const json = entryJson(answer.served, entry);
    if (version.custom) parts.push(json);
    else parts.push(...withoutType(json));
  });
  parts.push(Buffer.from(']}'));
  return Buffer.concat(parts);
}

function notAcceptable(message: string): StatusError {
  const { status } = newNotAcceptable([]);
  return new StatusError({ ...status, message });
}

/** An object as upstream writes it: what Go always writes is there, `null` where it is empty. */
function objectJson(answer: ObjectAnswer, table: SchemaTable): Buffer {
  if (!answer.fresh) return answer.json();
  const object = answer.object() as KubeObject;
  const message = answer.message ?? answer.served?.version.schema;
  if (message === undefined || !table.has(message) || isStatusObject(object)) return answer.json();
  return Buffer.from(encodeObject(object, { table, message }));
}

function objectShape(answer: ObjectAnswer, negotiated: Negotiated, params: EncodeOptions): Buffer {
  const { shape, metaVersion } = negotiated;
  if (shape === 'Object') return objectJson(answer, params.table);
  const object = answer.object() as KubeObject;
  if (shape === 'PartialObjectMetadataList') {
    throw notAcceptable(
      `you requested PartialObjectMetadataList, but the requested object is not a list (*core.${object.kind})`,
    );
  }
  if (isStatusObject(object)) return answer.json();
  // Reviews and the like are nobody's rows.
  if (answer.message !== undefined && !answer.columns) throw newNotAcceptable(mediaTypes);
  if (shape === 'PartialObjectMetadata')
    return encodeJsonBytes(partialMetadata(object, metaVersion, answer.served));
  const { resourceVersion } = object.metadata;
  const metadata = resourceVersion === undefined ? {} : { resourceVersion };
  return encodeJsonBytes(
    tableOf([object], metadata, {
      ...params,
      served: answer.served,
      ...(answer.columns && { columns: answer.columns }),
      metaVersion,
      withColumns: true,
    }),
  );
}

function listShape(answer: ListAnswer, negotiated: Negotiated, params: EncodeOptions): Buffer {
  const { shape, metaVersion } = negotiated;
  if (shape === 'Object') return listJson(answer);
  if (shape === 'PartialObjectMetadata') {
    throw notAcceptable(
      `you requested PartialObjectMetadata, but the requested object is a list (*core.${answer.served.type.kind}List)`,
    );
  }
  const items = listItems(answer);
  if (shape === 'PartialObjectMetadataList') {
    return encodeJsonBytes({
      kind: shape,
      apiVersion: `meta.k8s.io/${metaVersion}`,
      metadata: answer.metadata,
      items: items.map((item) => partialMetadata(item, metaVersion, answer.served)),
    });
  }
  return encodeJsonBytes(
    tableOf(items, answer.metadata, { ...params, served: answer.served, metaVersion, withColumns: true }),
  );
}

interface EncodeOptions {
  readonly table: SchemaTable;
  readonly include: ReturnType<typeof includeObject>;
  readonly now: number;
}

/** What of a request decides how its answer is written. */
export interface EncodeRequest {
  readonly params: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly pretty: boolean;
  readonly table: SchemaTable;
}

/** The body of an answer in the form that was negotiated, and its media type. Throws 400 and 406. */
export function encodeAnswer(
  answer: Answer,
  negotiated: Negotiated,
  request: EncodeRequest,
): { readonly contentType: string; readonly body: Buffer } {
  if (negotiated.mediaType === protobufType) {
    const body = protobufAnswer(answer, request.table);
    if (body) return { contentType: protobufType, body };
  }
  const options = {
    include: negotiated.shape === 'Table' ? includeObject(request.params['includeObject']) : 'Metadata',
    now: request.now,
    table: request.table,
  } as const;
  const json =
    answer.type === 'list'
      ? listShape(answer, negotiated, options)
      : objectShape(answer, negotiated, options);
  if (negotiated.mediaType === 'application/yaml')
    return { contentType: 'application/yaml', body: yamlOf(json) };
  return { contentType: 'application/json', body: request.pretty ? indented(json) : json };
}

/** The same document as YAML. */
export function yamlOf(json: Buffer): Buffer {
  return Buffer.from(toYaml(parseJson(json).value));
}

/** The same document, two spaces a level, with a line break at its end. */
export function indented(json: Buffer): Buffer {
  const { value } = parseJson(json);
  return Buffer.from(
    `${JSON.stringify(value, (_key, member: unknown) => (typeof member === 'bigint' ? Number(member) : member), 2)}\n`,
  );
}
