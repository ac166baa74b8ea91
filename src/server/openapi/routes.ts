import { requiredVersionFields } from '../version-fields.ts';
import type { Clock } from '../../base/clock.ts';
import { erased } from '../registry/served-resource.ts';
import type { AnyResource } from '../../api/resource.ts';
import type { SchemaTable } from '../../machinery/schema/schema.ts';
import { servedGroups, type ServedGroup } from '../discovery/discovery-documents.ts';
import { customDefinitions } from './custom-definitions.ts';
import { openapiV2Protobuf } from './openapi-v2-protobuf.ts';
import { openapiV2, openapiV2Json } from './openapi-v2.ts';
import { keptDocuments, wholeDocument, type Document, type DocumentPlan } from './kept-documents.ts';
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
  readonly clock: Clock;
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
  readonly body: Buffer;
}

const nothing = Buffer.alloc(0);

const gnostic = 'application/com.github.proto-openapi.spec.v2';
/** Also for clients that ask for `…@v1.0+protobuf`, which is no media type that Go could read. */
const protobufType = `${gnostic}.v1.0+protobuf`;

/**
 * Answers GET of `/openapi/v2`, `/openapi/v3` and `/openapi/v3/…`; undefined for any other path. Documents are made on
 * the first request for them, in steps between which others are served.
 */
export function openapiHandler(
  options: OpenapiOptions,
): (request: OpenapiRequest) => Promise<OpenapiResponse> | undefined {
  const documents = keptDocuments(options.clock);
  let known:
    | { readonly from: readonly AnyResource[]; readonly plans: ReadonlyMap<string, DocumentPlan> }
    | undefined;
  const plans = (): ReadonlyMap<string, DocumentPlan> => {
    const from = options.resources();
    if (known?.from !== from) {
      known = { from, plans: plansOf(from, options) };
      documents.keepOnly(known.plans);
    }
    return known.plans;
  };
  const get = (name: string): Promise<Document> | undefined => {
    const plan = plans().get(name);
    return plan && documents.get(name, plan);
  };
  return (request) => {
    if (request.path !== '/openapi/v2' && !/^\/openapi\/v3(\/|$)/.test(request.path)) return undefined;
    return respond(request);
  };

  async function respond({ path, query, accept, ifNoneMatch }: OpenapiRequest): Promise<OpenapiResponse> {
    if (path === '/openapi/v2') {
      const protobuf = accept?.includes(gnostic) ?? false;
      const document = await get(protobuf ? 'v2.pb' : 'v2');
      const type = protobuf ? protobufType : 'application/json';
      return document ? answer(document, { type, ifNoneMatch }) : notFound;
    }
    if (path === '/openapi/v3' || path === '/openapi/v3/') {
      // Upstream leaves the type to Go, which takes the index for plain text.
      return answer(await index(), { type: 'text/plain; charset=utf-8', ifNoneMatch });
    }
    const document = await get(path.slice('/openapi/v3/'.length));
    if (!document) return notFound;
    const hash = query?.get('hash');
    const immutable = hash !== null && hash !== undefined && `"${hash}"` === document.etag;
    return answer(document, { type: 'application/json', ifNoneMatch, immutable });
  }

  /** The index names every document with a digest of its content, so that clients may keep it. */
  async function index(): Promise<Document> {
    const names = [...plans().keys()].filter((name) => !isV2(name)).sort();
    const etags = await Promise.all(names.map(async (name) => (await get(name))?.etag.slice(1, -1) ?? ''));
    const urls = names.map((name, at) => [
      name,
      { serverRelativeURL: `/openapi/v3/${name}?hash=${etags[at]}` },
    ]);
    return wholeDocument(JSON.stringify({ paths: Object.fromEntries(urls) }));
  }
}

const notFound: OpenapiResponse = {
  status: 404,
  headers: { 'content-type': 'text/plain' },
  body: Buffer.from('404 page not found\n'),
};

function answer(
  { etag, body }: Document,
  options: { readonly type: string; readonly ifNoneMatch: string | undefined; readonly immutable?: boolean },
): OpenapiResponse {
  const headers = {
    etag,
    vary: 'Accept-Encoding, Accept',
    'cache-control': options.immutable ? 'public, immutable' : 'no-cache, private',
  };
  if (options.ifNoneMatch === etag) return { status: 304, headers, body: nothing };
  return { status: 200, headers: { ...headers, 'content-type': options.type }, body };
}

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
    ...requiredVersionFields.map((name) => [name, { type: 'string', ...ofRequired }] as const),
    ...optionalOfVersion.map((name) => [name, { type: 'string' }] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return { type: 'object', required: requiredVersionFields, properties: Object.fromEntries(properties) };
}

/** What to make the documents of: `v2`, `v2.pb`, and those of v3 by the path behind `/openapi/v3/`. */
function plansOf(
  definitions: readonly AnyResource[],
  { table, version }: OpenapiOptions,
): ReadonlyMap<string, DocumentPlan> {
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
  const plans = new Map<string, DocumentPlan>();
  for (const [name, { of, operations }] of parts) {
    const own = groupVersions.filter(
      ({ group, version: one }) => group === '' || rootPath(group, one) === `/${name}/`,
    );
    const core = own.map(({ group, version: one }) => `${group}/${one}`).join(' ');
    plans.set(name, {
      of: [...of, core],
      pieces: () => openapiV3(operations(), { ...options, groupVersions: own }),
    });
  }
  plans.set('v2', {
    of: [definitions],
    pieces: () => together(parts, (all) => openapiV2Json(openapiV2(all, options))),
  });
  plans.set('v2.pb', {
    of: [definitions],
    pieces: () => together(parts, (all) => openapiV2Protobuf(openapiV2(all, options))),
  });
  return plans;
}

function isV2(name: string): boolean {
  return name === 'v2' || name === 'v2.pb';
}

/** A document of the operations of all parts, which are made one after the other. */
function* together<T extends string | Buffer>(
  parts: ReadonlyMap<string, Part>,
  document: (operations: readonly Operation[]) => Iterable<T>,
): Generator<string | T> {
  const all: Operation[] = [];
  for (const { operations } of parts.values()) {
    all.push(...operations());
    yield '';
  }
  yield* document(all);
}

/** The operations of one document of v3. */
interface Part {
  /** What they are made of; as long as that is the same, so are they. */
  readonly of: readonly unknown[];
  operations(): Operation[];
}

function operationsByName(groups: readonly ServedGroup[], table: SchemaTable): ReadonlyMap<string, Part> {
  const parts = new Map<string, Part>();
  const add = (name: string, operation: () => Operation): void => {
    parts.set(name, { of: [], operations: () => [operation()] });
  };
  add('api', () => discoveryOperation('/api/', { id: 'getCoreAPIVersions', tag: 'core' }, 'APIVersions'));
  add('apis', () => discoveryOperation('/apis/', { id: 'getAPIVersions', tag: 'apis' }, 'APIGroupList'));
  for (const [name, operation] of Object.entries(serverOperations)) add(name, () => operation);
  for (const group of groups) {
    if (group.name !== '') {
      const words = groupVersionWords(group.name, '');
      const listing = { id: `get${words.id}APIGroup`, tag: words.tag.slice(0, -1) };
      add(rootPath(group.name).slice(1, -1), () =>
        discoveryOperation(rootPath(group.name), listing, 'APIGroup'),
      );
    }
    for (const { version, resources } of group.versions) {
      parts.set(rootPath(group.name, version).slice(1, -1), {
        of: resources.flat(),
        operations: () => operationsOf(group, version, table),
      });
    }
  }
  return parts;
}
