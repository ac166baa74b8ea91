import { createHash } from 'node:crypto';
import { erased } from '../registry/served-resource.ts';
import type { AnyResource } from '../../api/resource.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { servedGroups, type ServedGroup } from '../discovery/discovery-documents.ts';
import { customDefinitions } from './custom-definitions.ts';
import { openapiV2Protobuf } from './openapi-v2-protobuf.ts';
import { openapiV2 } from './openapi-v2.ts';
import { openapiV3, type DocumentOptions } from './openapi-v3.ts';
import type { CustomDefinition, JsonSchema } from './definition.ts';
import { groupVersionWords } from './operation-id.ts';
import {
  discoveryOperation,
  operationsOf,
  rootPath,
  serverOperations,
  versionInfo,
  type Operation,
} from './operation.ts';

export interface OpenapiOptions {
  /** What is served now. A new array means that something changed, and documents are made anew. */
  resources(): readonly AnyResource[];
  /** With the schemas of the resources that came at run time. */
  table(): SchemaTable;
  /** `1.36`. */
  readonly version: string;
}

export interface OpenapiRequest {
  /** Without the query. */
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly accept?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

export interface OpenapiResponse {
  readonly status: 200 | 304 | 404;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
}

interface Document {
  readonly etag: string;
  readonly body: Buffer | string;
}

const gnostic = 'application/com.github.proto-openapi.spec.v2';
/** Also for clients that ask for `…@v1.0+protobuf`, which is no media type that Go could read. */
const protobufType = `${gnostic}.v1.0+protobuf`;

/**
 * Answers GET of `/openapi/v2`, `/openapi/v3` and `/openapi/v3/…`; undefined for any other path. Documents are made on
 * the first request for them.
 */
export function openapiHandler(
  options: OpenapiOptions,
): (request: OpenapiRequest) => OpenapiResponse | undefined {
  let known: { readonly from: readonly AnyResource[]; readonly documents: Documents } | undefined;
  const documents = (): Documents => {
    const from = options.resources();
    if (known?.from !== from) known = { from, documents: documentsOf(from, options) };
    return known.documents;
  };
  return ({ path, query, accept, ifNoneMatch }) => {
    if (path === '/openapi/v2') {
      const protobuf = accept?.includes(gnostic) ?? false;
      const document = documents().get(protobuf ? 'v2.pb' : 'v2');
      const type = protobuf ? protobufType : 'application/json';
      return document && answer(document, { type, ifNoneMatch });
    }
    if (path === '/openapi/v3' || path === '/openapi/v3/') {
      // Upstream leaves the type to Go, which takes the index for plain text.
      return answer(indexDocument(documents()), { type: 'text/plain; charset=utf-8', ifNoneMatch });
    }
    if (!path.startsWith('/openapi/v3/')) return undefined;
    const document = documents().get(path.slice('/openapi/v3/'.length));
    if (!document)
      return { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' };
    const hash = query?.get('hash');
    const immutable = hash !== null && hash !== undefined && `"${hash}"` === document.etag;
    return answer(document, { type: 'application/json', ifNoneMatch, immutable });
  };
}

function answer(
  { etag, body }: Document,
  options: { readonly type: string; readonly ifNoneMatch: string | undefined; readonly immutable?: boolean },
): OpenapiResponse {
  const headers = {
    etag,
    vary: 'Accept-Encoding, Accept',
    'cache-control': options.immutable ? 'public, immutable' : 'no-cache, private',
  };
  if (options.ifNoneMatch === etag) return { status: 304, headers, body: '' };
  return { status: 200, headers: { ...headers, 'content-type': options.type }, body };
}

const requiredOfVersion = [
  'major',
  'minor',
  'gitVersion',
  'gitCommit',
  'gitTreeState',
  'buildDate',
  'goVersion',
  'compiler',
  'platform',
];
const optionalOfVersion = [
  'emulationMajor',
  'emulationMinor',
  'minCompatibilityMajor',
  'minCompatibilityMinor',
];

/** `version.Info` is no kind, and has no schema in the table of kinds. */
const versionDefinition: CustomDefinition = {
  v2: versionSchema({}),
  v3: versionSchema({ default: '' }),
  references: [],
};

function versionSchema(ofRequired: JsonSchema): JsonSchema {
  const properties = [
    ...requiredOfVersion.map((name) => [name, { type: 'string', ...ofRequired }] as const),
    ...optionalOfVersion.map((name) => [name, { type: 'string' }] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return { type: 'object', required: requiredOfVersion, properties: Object.fromEntries(properties) };
}

/** Documents by name: `v2`, `v2.pb`, and those of v3 by the path behind `/openapi/v3/`. */
interface Documents {
  readonly names: readonly string[];
  get(name: string): Document | undefined;
}

function documentsOf(definitions: readonly AnyResource[], { table, version }: OpenapiOptions): Documents {
  const groups = servedGroups(definitions.map(erased));
  const groupVersions = groups.flatMap(({ name, versions }) =>
    versions.map((entry) => ({ group: name, version: entry.version })),
  );
  const custom = new Map([
    ...customDefinitions(definitions.map(erased)),
    [versionInfo, versionDefinition] as const,
  ]);
  const options: DocumentOptions = { table: table(), groupVersions, version, custom };
  const parts = operationsByName(groups, options.table);
  const all = (): Operation[] => [...parts.values()].flatMap((operations) => operations());
  const makers = new Map<string, () => Buffer | string>([
    ['v2', () => JSON.stringify(openapiV2(all(), options))],
    ['v2.pb', () => openapiV2Protobuf(openapiV2(all(), options))],
  ]);
  for (const [name, operations] of parts) {
    const own = groupVersions.filter(
      ({ group, version: one }) => group === '' || rootPath(group, one) === `/${name}/`,
    );
    makers.set(name, () => JSON.stringify(openapiV3(operations(), { ...options, groupVersions: own })));
  }
  const made = new Map<string, Document>();
  return {
    names: [...parts.keys()].sort(),
    get(name) {
      const existing = made.get(name);
      const body = existing ? undefined : makers.get(name)?.();
      if (body === undefined) return existing;
      const document = { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
      made.set(name, document);
      return document;
    },
  };
}

function operationsByName(
  groups: readonly ServedGroup[],
  table: SchemaTable,
): ReadonlyMap<string, () => Operation[]> {
  const parts = new Map<string, () => Operation[]>();
  parts.set('api', () => [
    discoveryOperation('/api/', { id: 'getCoreAPIVersions', tag: 'core' }, 'APIVersions'),
  ]);
  parts.set('apis', () => [
    discoveryOperation('/apis/', { id: 'getAPIVersions', tag: 'apis' }, 'APIGroupList'),
  ]);
  for (const [name, operation] of Object.entries(serverOperations)) parts.set(name, () => [operation]);
  for (const group of groups) {
    if (group.name !== '') {
      const words = groupVersionWords(group.name, '');
      const listing = { id: `get${words.id}APIGroup`, tag: words.tag.slice(0, -1) };
      parts.set(rootPath(group.name).slice(1, -1), () => [
        discoveryOperation(rootPath(group.name), listing, 'APIGroup'),
      ]);
    }
    for (const { version } of group.versions) {
      parts.set(rootPath(group.name, version).slice(1, -1), () => operationsOf(group, version, table));
    }
  }
  return parts;
}

/** The index names every document with a digest of its content, so that clients may keep it. */
function indexDocument(documents: Documents): Document {
  const paths = Object.fromEntries(
    documents.names.map((name) => {
      const hash = documents.get(name)?.etag.slice(1, -1) ?? '';
      return [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hash}` }];
    }),
  );
  const body = JSON.stringify({ paths });
  return { body, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"` };
}
