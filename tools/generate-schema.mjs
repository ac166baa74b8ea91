// Generates src/machinery/schema/table.gen.ts: what the Kubernetes API's messages consist of, without prose.
// Usage: node tools/generate-schema.mjs --spec DIR
// DIR holds protobuf-fields.json, openapi-v2.json and live/openapi-v3.json.gz.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';

const { values } = parseArgs({ options: { spec: { type: 'string' } } });
if (!values.spec) {
  console.error('usage: node tools/generate-schema.mjs --spec DIR');
  process.exit(2);
}
const spec = values.spec;
const read = (name) => readFileSync(join(spec, name));
const messages = JSON.parse(read('protobuf-fields.json'));
const { definitions } = JSON.parse(read('openapi-v2.json'));
const live = JSON.parse(gunzipSync(read('live/openapi-v3.json.gz')));

const liveSchemas = Object.assign({}, ...Object.values(live).map((document) => document.components?.schemas));
const openapiName = (message) => message.replace(/_/g, '-').replace(/^k8s\.io\./, 'io.k8s.');
const meta = 'k8s.io.apimachinery.pkg.apis.meta.v1.';
const apiextensions = 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.';

/** Codes of the types that are no message; expanded by src/machinery/schema/table.ts. */
const scalars = {
  string: 's',
  bool: 'b',
  bytes: 'y',
  int32: 'i',
  int64: 'l',
  double: 'd',
  [`${meta}Time`]: 't',
  [`${meta}MicroTime`]: 'u',
  [`${meta}Duration`]: 'D',
  [`${meta}FieldsV1`]: 'f',
  [`${meta}Verbs`]: 'w[]s',
  'k8s.io.apimachinery.pkg.api.resource.Quantity': 'q',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': 'I',
  'k8s.io.apimachinery.pkg.runtime.RawExtension': 'r',
  [`${apiextensions}JSON`]: 'a',
};
/** JSON Schema's unions: one member of the message stands for another JSON type. */
const unions = {
  [`${apiextensions}JSONSchemaPropsOrArray`]: 'U',
  [`${apiextensions}JSONSchemaPropsOrBool`]: 'B',
  [`${apiextensions}JSONSchemaPropsOrStringArray`]: 'S',
};

/** Served by no path, but written in protobuf, read by webhooks or asked for by discovery. */
const unpublished =
  /^k8s\.io\.(api\.admission\.v1|api\.core\.v1|api\.apidiscovery\.v2|apimachinery\.pkg\.apis\.meta\.v1)\.\w+$|ConversionReview$/;
const notMessages = /\.(Timestamp|ExtraValue|Verbs|QuantityValue)$/;
const wanted = new Set();
function want(message) {
  if (wanted.has(message) || message in scalars || notMessages.test(message) || !(message in messages))
    return;
  if (!(message in unions)) wanted.add(message);
  for (const field of Object.values(messages[message])) {
    const type = field.map ? field.map[1] : field.type;
    if (field.inline)
      for (const inner of Object.values(messages[type] ?? {})) want(inner.map?.[1] ?? inner.type);
    else want(type);
  }
}
for (const message of Object.keys(messages)) {
  if (message.includes('.v1beta1.Conversion')) continue;
  if (definitions[openapiName(message)] || unpublished.test(message)) want(message);
}
const embedded = new Set(
  Object.values(messages).flatMap((fields) =>
    Object.values(fields).flatMap((f) => (f.inline ? [f.type] : [])),
  ),
);
for (const message of embedded) if (!definitions[openapiName(message)]) wanted.delete(message);

const packages = [];
const packageOf = (message) => openapiName(message.slice(0, message.lastIndexOf('.')));
const shortName = (message) => message.slice(message.lastIndexOf('.') + 1);
function packageIndex(name) {
  const at = packages.indexOf(name);
  return at < 0 ? packages.push(name) - 1 : at;
}

function typeCode(type, from) {
  if (scalars[type]) return scalars[type];
  if (unions[type]) return `${unions[type]}.JSONSchemaProps`;
  if (shortName(type) === 'ExtraValue') return 'w[]s';
  const target = packageOf(type);
  return `${target === from ? '' : packageIndex(target)}.${shortName(type)}`;
}

/** [name, number, type, flags, further properties]; flags: 1 pointer, 2 omitempty, 4 required, 8 omitzero. */
function fieldsOf(message, from, through) {
  const definition = definitions[openapiName(message)];
  return Object.entries(messages[message]).flatMap(([name, field]) => {
    if (field.inline && field.type in messages) return fieldsOf(field.type, from, [...through, field.number]);
    const json = field.json ?? name;
    const type = field.map
      ? `{}${typeCode(field.map[1], from)}`
      : `${field.repeated ? '[]' : ''}${typeCode(field.type, from)}`;
    const flags = (field.pointer ? 1 : 0) | (field.omitempty ? 2 : 0) | (field.omitzero ? 8 : 0);
    return [
      {
        json,
        number: field.number,
        type,
        flags,
        field,
        through,
        required: definition?.required?.includes(json),
      },
    ];
  });
}

const groups = new Map();
for (const message of [...wanted].sort()) {
  const from = packageOf(message);
  const definition = definitions[openapiName(message)];
  const extended = liveSchemas[openapiName(message)];
  const fields = fieldsOf(message, from, []).map((entry) => {
    const property = definition?.properties?.[entry.json] ?? {};
    const liveProperty = extended?.properties?.[entry.json] ?? {};
    const further = {};
    const choices =
      liveProperty.enum ??
      liveProperty.items?.enum ??
      liveProperty.additionalProperties?.enum ??
      entry.field.enum;
    if (choices) further.e = [...choices].sort();
    const fallback = entry.field.default ?? liveProperty.default;
    // Zero is what an always-written field holds anyway.
    const implied = typeof fallback === 'object' || (entry.flags & 3) === 0;
    if (fallback !== undefined && !(implied && (!fallback || typeof fallback === 'object')))
      further.d = liveProperty.default ?? fallback;
    if (property['x-kubernetes-list-type']) further.l = property['x-kubernetes-list-type'];
    if (property['x-kubernetes-list-map-keys']) further.k = property['x-kubernetes-list-map-keys'];
    if (property['x-kubernetes-map-type']) further.m = property['x-kubernetes-map-type'];
    if (property['x-kubernetes-patch-strategy'])
      further.s = property['x-kubernetes-patch-strategy'].split(',');
    if (property['x-kubernetes-patch-merge-key']) further.g = property['x-kubernetes-patch-merge-key'];
    if (entry.through.length > 0) further.t = entry.through;
    const required = definition?.required?.includes(entry.json) || (!definition && entry.field.required);
    const row = [entry.json, entry.number, entry.type, entry.flags | (required ? 4 : 0)];
    return Object.keys(further).length > 0 ? [...row, further] : row;
  });
  if (
    definition?.properties?.kind &&
    definition.properties.apiVersion &&
    !fields.some(([name]) => name === 'kind')
  )
    fields.push(['apiVersion', 0, 's', 2], ['kind', 0, 's', 2]);
  else if (!definition && isRootKind(message)) fields.push(['apiVersion', 0, 's', 2], ['kind', 0, 's', 2]);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  const row = { f: fields };
  if (definition?.['x-kubernetes-map-type']) row.m = definition['x-kubernetes-map-type'];
  if (definition?.['x-kubernetes-unions']) row.u = definition['x-kubernetes-unions'];
  const gvks = definition?.['x-kubernetes-group-version-kind'];
  if (gvks?.length === 1) row.k = [gvks[0].group, gvks[0].version, gvks[0].kind];
  else if (gvks) row.k = '*';
  const key = packageIndex(from);
  groups.set(key, { ...groups.get(key), [shortName(message)]: Object.keys(row).length > 1 ? row : fields });
}

/** Kinds that no path serves under a definition of their own. */
function isRootKind(message) {
  const name = shortName(message);
  return (
    /(List|Review|Options|PartialObjectMetadata|SerializedReference|RangeAllocation|PodStatusResult|APIGroupDiscovery)$/.test(
      name,
    ) && !/^DeviceOptions$/.test(name)
  );
}

const table = { packages, messages: Object.fromEntries(groups) };
const text = JSON.stringify(table);
const literal = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
const path = resolve(import.meta.dirname, '../src/machinery/schema/table.gen.ts');
writeFileSync(
  path,
  `// Generated by tools/generate-schema.mjs from the Kubernetes 1.36 API; do not edit.\n\nexport const tableJson: string =\n  '${literal}';\n`,
);
console.log(`${wanted.size} messages, ${text.length} bytes`);
