import type { CustomForm } from '../../api/custom-form.ts';
import type { ResourceVersion } from '../../api/resource.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { parseJson } from '../../machinery/json/parse-json.ts';
import { toCompactJson } from '../../machinery/json/to-json.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { coerceEmbedded, readMeta, type OnMalformed } from '../../machinery/structural/embedded-meta.ts';
import { fillDefaults } from '../../machinery/structural/fill-defaults.ts';
import { pruneNulls, pruneUnknown } from '../../machinery/structural/prune.ts';
import type { StructuralSchema } from '../../machinery/structural/structural-schema.ts';
import { structureOf } from '../../machinery/structural/structure-of.ts';
import { structureOfMessage } from '../../machinery/structure/structure-of-message.ts';
import type { Converter } from './converter.ts';
import { publishedSchemas } from './published-schema.ts';

type Mutable = Record<string, unknown>;

/** One version of a custom resource. */
export interface CustomVersion {
  readonly type: ResourceType<KubeObject>;
  readonly stored: ResourceType<KubeObject>;
  readonly listKind: string;
  readonly schema: StructuralSchema;
  /** JSON paths of the fields that selectors may name. */
  readonly selectable: readonly string[];
  readonly table: SchemaTable;
  readonly converter: Converter;
  /** All versions of the resource, by their names. */
  versions(): Readonly<Record<string, ResourceVersion<KubeObject>>>;
}

const metaMessage = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** How objects of a version are read and written. */
export function customForm(version: CustomVersion): CustomForm {
  const { type, stored, schema, table, converter } = version;
  return {
    listKind: version.listKind,
    stored,
    structure: structureOf(schema, {
      apiVersion: { type: 'scalar' },
      kind: { type: 'scalar' },
      metadata: structureOfMessage(table, metaMessage),
    }),
    published: publishedSchemas(version),
    decode(value) {
      const object = mutableCopy<Mutable>(value);
      const unknown = coerced(object, version, 'throw');
      return { object, strict: unknown.map((path) => `unknown field "${path}"`) };
    },
    encode(object) {
      if (type.version === stored.version) return encodeCustom(object);
      const converted = converter.convert([object], stored.version);
      if (!(converted instanceof Promise)) return encodeCustom(converted[0] ?? object);
      return converted.then(([first = object]) => encodeCustom(first));
    },
    convert: (object, wanted) => converter.compare(object, wanted),
    versions: () => version.versions(),
  };
}

/** Prunes and coerces, in place; returns the paths of what the schema does not have. */
function coerced(object: Mutable, { schema, table }: CustomVersion, malformed: OnMalformed): string[] {
  const { meta, unknown } = readMeta(object['metadata'] ?? {}, table);
  const pruned = pruneUnknown(object, schema);
  pruneNulls(object, schema);
  const embedded = coerceEmbedded(object, schema, { table, malformed });
  object['metadata'] = meta;
  return [...unknown.map((path) => `metadata.${path}`), ...pruned, ...embedded];
}

/** An object that came out of the store or of a conversion: complete, pruned and defaulted. It is changed. */
export function completed(object: Mutable, version: CustomVersion): KubeObject {
  coerced(object, version, 'drop');
  fillDefaults(object, version.schema);
  object['apiVersion'] = apiVersionOf(version.type);
  object['kind'] = version.type.kind;
  return object as Mutable & KubeObject;
}

/** Reads stored bytes in a version that needs no webhook for it. */
export function decodeCustom(bytes: Buffer, version: CustomVersion): KubeObject {
  const object = parseJson(bytes).value as Mutable & KubeObject;
  const { type, converter } = version;
  if (object.apiVersion === apiVersionOf(type)) return completed(object, version);
  const converted = converter.convert([object], type.version);
  return converted instanceof Promise ? completed(object, version) : (converted[0] ?? object);
}

/** The JSON of an object, `apiVersion`, `kind` and `metadata` first, without what the server adds on reading. */
export function encodeCustom(object: KubeObject): Buffer {
  const { apiVersion, kind, metadata, ...rest } = object;
  const { resourceVersion: _version, selfLink: _link, ...kept } = metadata;
  const others = toCompactJson(rest).slice(1, -1);
  const head = `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(kind)},"metadata":${toCompactJson(kept)}`;
  return Buffer.from(`${head}${others === '' ? '' : `,${others}`}}`);
}
