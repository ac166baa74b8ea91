// Generates the TypeScript types of every Kubernetes API message: one *.gen.ts per group and version.
// Usage: node tools/generate-types.mjs --spec DIR   (DIR holds protobuf-fields.json and openapi-v2.json)
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { spec: { type: 'string' } } });
if (!values.spec) {
  console.error('usage: node tools/generate-types.mjs --spec DIR');
  process.exit(2);
}
const discovery = ['discovery-api.json', 'discovery-apis.json'].flatMap(
  (name) => JSON.parse(readFileSync(join(values.spec, 'live', name), 'utf8')).items,
);
const root = resolve(import.meta.dirname, '..');
const messages = JSON.parse(readFileSync(join(values.spec, 'protobuf-fields.json'), 'utf8'));
const { definitions } = JSON.parse(readFileSync(join(values.spec, 'openapi-v2.json'), 'utf8'));

/** Where the messages of a Go package go, relative to the root; undefined for packages that are not served. */
function fileOf(message) {
  const meta = /^k8s\.io\.apimachinery\.pkg\.apis\.meta\.(v1)\.\w+$/.exec(message);
  if (meta) return `src/machinery/meta/${meta[1]}.gen.ts`;
  const api = /^k8s\.io\.api\.(\w+)\.(v\d+)\.\w+$/.exec(message);
  if (api && !['apidiscovery', 'imagepolicy', 'apiserverinternal'].includes(api[1]))
    return `src/api/${api[1]}/${api[2]}.gen.ts`;
  const extension = /^k8s\.io\.apiextensions_apiserver\.pkg\.apis\.(apiextensions)\.(v1)\.\w+$/.exec(message);
  if (extension) return `src/api/${extension[1]}/${extension[2]}.gen.ts`;
  const aggregator = /^k8s\.io\.kube_aggregator\.pkg\.apis\.(apiregistration)\.(v1)\.\w+$/.exec(message);
  if (aggregator) return `src/api/${aggregator[1]}/${aggregator[2]}.gen.ts`;
  return undefined;
}

/** Go types whose JSON form is not a struct. */
const special = {
  'k8s.io.apimachinery.pkg.apis.meta.v1.Time': 'string',
  'k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime': 'string',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Timestamp': 'string',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Duration': 'string',
  'k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1': 'Readonly<Record<string, unknown>>',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Verbs': 'readonly string[]',
  'k8s.io.apimachinery.pkg.api.resource.Quantity': 'string',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': 'number | string',
  'k8s.io.apimachinery.pkg.runtime.RawExtension': 'Readonly<Record<string, unknown>>',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON': 'unknown',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray':
    'JSONSchemaProps | readonly JSONSchemaProps[]',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool':
    'JSONSchemaProps | boolean',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray':
    'JSONSchemaProps | readonly string[]',
  'k8s.io.api.core.v1.PodSignature': 'Readonly<Record<string, unknown>>',
};
const scalars = {
  string: 'string',
  bool: 'boolean',
  bytes: 'string',
  int32: 'number',
  int64: 'number',
  uint32: 'number',
  uint64: 'number',
  double: 'number',
  float: 'number',
};

const shortName = (message) => message.slice(message.lastIndexOf('.') + 1);
const openapiName = (message) => message.replace(/_/g, '-').replace(/^k8s\.io\./, 'io.k8s.');
const rootKind = (message) => {
  const gvks = definitions[openapiName(message)]?.['x-kubernetes-group-version-kind'];
  const own = gvks?.find((gvk) => gvk.kind === shortName(message)) ?? gvks?.[0];
  return own && 'metadata' in messages[message] ? own : undefined;
};

const files = new Map();
for (const message of Object.keys(messages).sort()) {
  const file = fileOf(message);
  if (file && !(message in special)) files.set(file, [...(files.get(file) ?? []), message]);
}

/** What discovery says of each kind: `group/version/kind` → its resource types. */
const served = new Map();
for (const group of discovery) {
  for (const { version, resources } of group.versions) {
    for (const resource of resources) {
      if (resource.verbs.length === 0) continue;
      const key = `${group.metadata.name ?? ''}/${version}/${resource.responseKind.kind}`;
      served.set(key, {
        group: group.metadata.name ?? '',
        version,
        resource: resource.resource,
        kind: resource.responseKind.kind,
        namespaced: resource.scope === 'Namespaced',
        singular: resource.singularResource,
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
      });
    }
  }
}

for (const [file, names] of files) {
  const imports = new Map();
  const typeOf = (type) => {
    if (scalars[type]) return scalars[type];
    if (special[type]) return special[type];
    const target = fileOf(type);
    if (!target || !files.has(target)) return 'Readonly<Record<string, unknown>>';
    const name = shortName(type);
    if (target !== file) imports.set(target, (imports.get(target) ?? new Set()).add(name));
    return name;
  };
  const wrapped = (text) => (text.includes('|') ? `(${text})` : text);
  const constants = [];
  const bodies = names.map((message) => {
    const lines = [];
    const gvk = rootKind(message);
    const isMeta = file.startsWith('src/machinery');
    if (gvk && !isMeta) {
      lines.push(
        `  readonly apiVersion: '${gvk.group ? `${gvk.group}/` : ''}${gvk.version}';`,
        `  readonly kind: '${gvk.kind}';`,
      );
    } else if (gvk) {
      lines.push('  readonly apiVersion?: string;', '  readonly kind?: string;');
    }
    const bases = [];
    for (const [name, field] of Object.entries(messages[message])) {
      if (field.inline) {
        if (!(field.type in special) && shortName(field.type) !== 'TypeMeta') bases.push(typeOf(field.type));
        continue;
      }
      let text;
      if (field.map) text = `Readonly<Record<string, ${typeOf(field.map[1])}>>`;
      else {
        text = field.enum ? field.enum.map((value) => `'${value}'`).join(' | ') : typeOf(field.type);
        if (field.repeated) text = `readonly ${wrapped(text)}[]`;
      }
      const isStruct =
        !field.map &&
        !field.repeated &&
        !field.pointer &&
        !(field.type in scalars) &&
        !(field.type in special);
      const alwaysSet = (name === 'metadata' && gvk && !isMeta) || (name === 'spec' && isStruct);
      const optional = !alwaysSet && (field.omitempty || field.omitzero);
      lines.push(
        `  readonly ${/^[A-Za-z_$][\w$]*$/.test(field.json ?? name) ? (field.json ?? name) : `'${field.json ?? name}'`}${optional ? '?' : ''}: ${text};`,
      );
    }
    const heritage = bases.length > 0 ? ` extends ${bases.join(', ')}` : '';
    const type = gvk && served.get(`${gvk.group}/${gvk.version}/${gvk.kind}`);
    if (type && !isMeta) constants.push([type, shortName(message)]);
    return `export interface ${shortName(message)}${heritage} {\n${lines.join('\n')}\n}\n`;
  });
  const head = [...imports]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([target, used]) => {
      let path = relative(dirname(file), target);
      if (!path.startsWith('.')) path = `./${path}`;
      return `import type { ${[...used].sort().join(', ')} } from '${path}';\n`;
    });
  const declarations = constants.map(
    ([type, name]) => `\nexport const ${type.resource}: ResourceType<${name}> = ${JSON.stringify(type)};\n`,
  );
  if (declarations.length > 0) head.push(`import type { ResourceType } from '../../machinery/object.ts';\n`);
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(
    join(root, file),
    `// Generated by tools/generate-types.mjs from the Kubernetes 1.36 API; do not edit.\n${head.join('')}\n${bodies.join('\n')}${declarations.join('')}`,
  );
}
console.log(`${files.size} files`);
