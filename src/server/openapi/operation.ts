import type { ResourceDefinition } from '../../api/resource.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import type { FieldType, GroupVersionKind, SchemaTable } from '../../machinery/schema/schema.ts';
import { subresourcesOf, verbsOf, type ServedGroup } from '../discovery/discovery-documents.ts';
import { capitalized, groupVersionWords } from './operation-id.ts';
import {
  deleteCollectionParameters,
  deleteParameters,
  listParameters,
  patchParameters,
  pathParameters,
  prettyParameter,
  writeParameters,
  type Parameter,
} from './parameter.ts';

/** One method of one path, in neither dialect. */
export interface Operation {
  readonly path: string;
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';
  readonly id: string;
  readonly tag: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly message: string; readonly required: boolean; readonly types: readonly string[] };
  readonly answers: readonly Answer[];
  readonly produces: readonly string[];
  readonly action?: string;
  readonly kind?: GroupVersionKind;
}

export interface Answer {
  readonly code: 200 | 201 | 202 | 401;
  /** Name of the message; `text` for a plain string. */
  readonly message?: string;
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const objectTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];
const streamTypes: readonly string[] = [
  ...objectTypes,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];
/** Custom resources have no protobuf form and no strategic merge. */
const withoutProtobuf = (types: readonly string[]): string[] =>
  types.filter((type) => !type.startsWith('application/vnd.kubernetes.protobuf'));
const withoutStrategicMerge = (types: readonly string[]): string[] =>
  types.filter((type) => !type.startsWith('application/strategic-merge'));

const patchTypes: readonly string[] = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

interface Subject {
  readonly definition: ResourceDefinition;
  readonly type: ResourceType<KubeObject>;
  readonly schema: string;
  readonly words: { readonly id: string; readonly tag: string };
  readonly isCustom: boolean;
}

/** Under which path a group or one of its versions is: `/api/v1/`, `/apis/apps/`. */
export function rootPath(group: string, version?: string): string {
  const root = group === '' ? '/api/' : `/apis/${group}/`;
  return version === undefined ? root : `${root}${version}/`;
}

/** The schema of what `/version` is answered with. */
export const versionInfo = 'io.k8s.apimachinery.pkg.version.Info';

/** The operations of documents about the server itself, by the path of their OpenAPI document. */
export const serverOperations: Readonly<Record<string, Operation>> = {
  '.well-known/openid-configuration': keyOperation('/.well-known/openid-configuration/', {
    id: 'getServiceAccountIssuerOpenIDConfiguration',
    tag: 'WellKnown',
    produces: 'application/json',
  }),
  'openid/v1/jwks': keyOperation('/openid/v1/jwks/', {
    id: 'getServiceAccountIssuerOpenIDKeyset',
    tag: 'openid',
    produces: 'application/jwk-set+json',
  }),
  version: {
    ...keyOperation('/version/', { id: 'getCodeVersion', tag: 'version', produces: 'application/json' }),
    answers: [{ code: 200, message: versionInfo }, { code: 401 }],
  },
};

function keyOperation(
  path: string,
  words: { readonly id: string; readonly tag: string; readonly produces: string },
): Operation {
  const { id, tag, produces } = words;
  const answers: readonly Answer[] = [{ code: 200, message: 'text' }, { code: 401 }];
  return { path, method: 'get', id, tag, parameters: [], answers, produces: [produces] };
}

/** The operation that reads a discovery document. */
export function discoveryOperation(
  path: string,
  words: { id: string; tag: string },
  message: string,
): Operation {
  return {
    path,
    method: 'get',
    id: words.id,
    tag: words.tag,
    parameters: [],
    answers: [{ code: 200, message: `${meta}.${message}` }, { code: 401 }],
    produces: objectTypes,
  };
}

/** Everything that one version of a group serves. */
export function operationsOf(group: ServedGroup, version: string, table: SchemaTable): Operation[] {
  const words = groupVersionWords(group.name, version);
  const resources = group.versions.find((entry) => entry.version === version)?.resources ?? [];
  const listing = { id: `get${words.id}APIResources`, tag: words.tag };
  return [
    discoveryOperation(rootPath(group.name, version), listing, 'APIResourceList'),
    ...resources.flatMap(([definition, type]) => {
      const own = Object.values(definition.versions).find((one) => one.type === type);
      if (!own) return [];
      const { schema, custom } = own;
      return resourceOperations({ definition, type, schema, words, isCustom: custom !== undefined }, table);
    }),
  ];
}

function resourceOperations(subject: Subject, table: SchemaTable): Operation[] {
  const { definition, type } = subject;
  const verbs = new Set(verbsOf(definition));
  const root = rootPath(type.group, type.version);
  const scope = type.namespaced ? 'Namespaced' : '';
  const collection = `${root}${type.namespaced ? 'namespaces/{namespace}/' : ''}${type.resource}`;
  const watched = collection.replace(root, `${root}watch/`);
  const all = `${root}${type.resource}`;
  const operations: Operation[] = [];
  if (verbs.has('list')) {
    operations.push(listOperation(subject, collection, `list${subject.words.id}${scope}${type.kind}`));
  }
  if (verbs.has('watch')) {
    operations.push(watchOperation(subject, watched, `watch${subject.words.id}${scope}${type.kind}List`));
    operations.push(
      watchOperation(subject, `${watched}/{name}`, `watch${subject.words.id}${scope}${type.kind}`),
    );
  }
  if (verbs.has('list') && type.namespaced) {
    const suffix = 'ForAllNamespaces';
    operations.push(listOperation(subject, all, `list${subject.words.id}${type.kind}${suffix}`));
    operations.push(
      watchOperation(
        subject,
        `${root}watch/${type.resource}`,
        `watch${subject.words.id}${type.kind}List${suffix}`,
      ),
    );
  }
  const target = {
    path: collection,
    name: `${scope}${type.kind}`,
    message: subject.schema,
    kind: kindOf(type),
  };
  if (verbs.has('create')) operations.push(createOperation(subject, target));
  if (verbs.has('deletecollection')) operations.push(deleteCollectionOperation(subject, target));
  const item = { ...target, path: `${collection}/{name}` };
  if (verbs.has('get')) operations.push(getOperation(subject, item));
  if (verbs.has('update')) operations.push(updateOperation(subject, item));
  if (verbs.has('patch')) operations.push(patchOperation(subject, item));
  if (verbs.has('delete')) operations.push(deleteOperation(subject, item));
  return [...operations, ...subresourceOperations(subject, item, table)];
}

/** What an operation is about: a resource, one of its objects, or a subresource. */
interface Target {
  readonly path: string;
  /** Behind the verb in operation ids. */
  readonly name: string;
  readonly message: string;
  readonly kind: GroupVersionKind;
}

function subresourceOperations(subject: Subject, item: Target, table: SchemaTable): Operation[] {
  const { definition, type } = subject;
  return subresourcesOf(definition, type).flatMap(({ name, verbs, kind }) => {
    const own = definition.subresources?.[name];
    const target = {
      path: `${item.path}/${name}`,
      name: `${item.name}${capitalized(name)}`,
      message: own?.schema ?? (name === 'scale' ? 'io.k8s.api.autoscaling.v1.Scale' : subject.schema),
      kind,
    };
    if (own?.proxy) return proxyOperations(subject, target, table);
    if (own?.connect) return connectOperations(subject, target, { verbs, table });
    return [
      ...(verbs.includes('create') ? [createOperation(subject, target)] : []),
      ...(verbs.includes('get') ? [getOperation(subject, target)] : []),
      ...(verbs.includes('update') ? [updateOperation(subject, target)] : []),
      ...(verbs.includes('patch') ? [patchOperation(subject, target)] : []),
    ];
  });
}

/** Streams take the fields of their options as parameters; one that has no options of its own is read (`log`). */
function connectOperations(
  subject: Subject,
  target: Target,
  { verbs, table }: { readonly verbs: readonly string[]; readonly table: SchemaTable },
): Operation[] {
  const own = messageBeside(subject.schema, target.kind.kind);
  const isRead = own === subject.schema;
  const options = isRead
    ? `${own}${capitalized(target.path.slice(target.path.lastIndexOf('/') + 1))}Options`
    : own;
  const parameters = table.has(options) ? optionParameters(options, table) : [];
  const base = {
    ...connection(subject, target, parameters),
    answers: [{ code: 200, message: 'text' }, { code: 401 }],
  } as const;
  if (isRead)
    return [
      {
        ...base,
        parameters: [...base.parameters, prettyParameter],
        method: 'get',
        id: `read${subject.words.id}${target.name}`,
        action: 'get',
        produces: ['text/plain', ...objectTypes],
      },
    ];
  const methods = verbs.flatMap((verb) =>
    verb === 'create' ? ['post' as const] : verb === 'get' ? ['get' as const] : [],
  );
  return methods.map((method) => ({
    ...base,
    method,
    id: `connect${subject.words.id}${capitalized(method)}${target.name}`,
    action: 'connect',
    produces: ['*/*'],
  }));
}

/** Proxies take every method, with and without a path behind them. */
function proxyOperations(subject: Subject, target: Target, table: SchemaTable): Operation[] {
  const parameters = optionParameters(messageBeside(subject.schema, target.kind.kind), table);
  const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;
  return ['', '/{path}'].flatMap((rest) =>
    methods.map((method) => ({
      ...connection(subject, { ...target, path: `${target.path}${rest}` }, parameters),
      method,
      id: `connect${subject.words.id}${capitalized(method)}${target.name}${rest === '' ? '' : 'WithPath'}`,
      action: 'connect',
      answers: [{ code: 200, message: 'text' }, { code: 401 }],
      produces: ['*/*'],
    })),
  );
}

/** The message of this kind in the group version of another. */
function messageBeside(schema: string, kind: string): string {
  return `${schema.slice(0, schema.lastIndexOf('.'))}.${kind}`;
}

/** What streams and proxies share: they are answered with no object, which nothing could print prettily. */
function connection(
  subject: Subject,
  target: Target,
  parameters: readonly Parameter[],
): ReturnType<typeof common> {
  const base = common(subject, target, parameters);
  return { ...base, parameters: base.parameters.filter((one) => one !== prettyParameter) };
}

function optionParameters(message: string, table: SchemaTable): Parameter[] {
  const fields = [...table.get(message).fields.values()].filter(
    ({ number, of }) => number !== 0 && of.type !== 'time',
  );
  return fields.map(({ name, of }) => ({ name, in: 'query', type: parameterType(of) }));
}

function parameterType(of: FieldType): Parameter['type'] {
  if (of.type === 'list') return parameterType(of.items);
  if (of.type === 'bool') return 'boolean';
  return of.type === 'int32' || of.type === 'int64' ? 'integer' : 'string';
}

function common(
  { words, isCustom }: Subject,
  { path, kind }: Target,
  parameters: readonly Parameter[],
): Pick<Operation, 'path' | 'tag' | 'parameters' | 'kind' | 'produces'> {
  return {
    path,
    tag: words.tag,
    kind,
    produces: isCustom ? withoutProtobuf(objectTypes) : objectTypes,
    parameters: [...pathParameters(path), prettyParameter, ...parameters],
  };
}

function listOperation(subject: Subject, path: string, id: string): Operation {
  const target = { path, name: '', message: '', kind: kindOf(subject.type) };
  return {
    ...common(subject, target, listParameters),
    method: 'get',
    id,
    action: 'list',
    answers: [{ code: 200, message: `${subject.schema}List` }, { code: 401 }],
    produces: subject.isCustom ? withoutProtobuf(streamTypes) : streamTypes,
  };
}

function watchOperation(subject: Subject, path: string, id: string): Operation {
  return {
    ...listOperation(subject, path, id),
    action: path.endsWith('/{name}') ? 'watch' : 'watchlist',
    answers: [{ code: 200, message: `${meta}.WatchEvent` }, { code: 401 }],
  };
}

function createOperation(subject: Subject, target: Target): Operation {
  return {
    ...common(subject, target, writeParameters),
    method: 'post',
    id: `create${subject.words.id}${target.name}`,
    action: 'post',
    body: { message: target.message, required: true, types: ['*/*'] },
    answers: answersOf(target.message, [200, 201, 202]),
  };
}

function getOperation(subject: Subject, target: Target): Operation {
  return {
    ...common(subject, target, []),
    method: 'get',
    id: `read${subject.words.id}${target.name}`,
    action: 'get',
    answers: answersOf(target.message, [200]),
  };
}

function updateOperation(subject: Subject, target: Target): Operation {
  return {
    ...common(subject, target, writeParameters),
    method: 'put',
    id: `replace${subject.words.id}${target.name}`,
    action: 'put',
    body: { message: target.message, required: true, types: ['*/*'] },
    answers: answersOf(target.message, [200, 201]),
  };
}

function patchOperation(subject: Subject, target: Target): Operation {
  return {
    ...common(subject, target, patchParameters),
    method: 'patch',
    id: `patch${subject.words.id}${target.name}`,
    action: 'patch',
    body: {
      message: `${meta}.Patch`,
      required: true,
      types: subject.isCustom ? withoutStrategicMerge(patchTypes) : patchTypes,
    },
    answers: answersOf(target.message, [200, 201]),
  };
}

function deleteOperation(subject: Subject, target: Target): Operation {
  return {
    ...common(subject, target, deleteParameters),
    method: 'delete',
    id: `delete${subject.words.id}${target.name}`,
    action: 'delete',
    body: { message: `${meta}.DeleteOptions`, required: false, types: ['*/*'] },
    answers: answersOf(subject.definition.returnsDeleted ? target.message : `${meta}.Status`, [200, 202]),
  };
}

function deleteCollectionOperation(subject: Subject, target: Target): Operation {
  return {
    ...deleteOperation(subject, target),
    parameters: common(subject, target, deleteCollectionParameters).parameters,
    id: `delete${subject.words.id}Collection${target.name}`,
    action: 'deletecollection',
    answers: answersOf(`${meta}.Status`, [200]),
  };
}

function answersOf(message: string, codes: readonly Answer['code'][]): Answer[] {
  return [...codes.map((code) => ({ code, message })), { code: 401 }];
}

function kindOf({ group, version, kind }: ResourceType<KubeObject>): GroupVersionKind {
  return { group, version, kind };
}
