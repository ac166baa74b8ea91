import type { Allocation, StrategyContext } from '../../api/resource.ts';
import { encodeJsonBytes } from '../../machinery/json/encode.ts';
import type { ManagedFieldsEntry } from '../../machinery/meta/v1.gen.ts';
import { validateObjectMeta } from '../../machinery/validation/object-meta.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import {
  newAlreadyExists,
  newGenerateNameConflict,
  newInvalid,
  newMethodNotAllowed,
  newObjectBeingDeleted,
  newUnknownError,
} from '../../machinery/status/errors.ts';
import { StoreError } from '../../storage/kv.ts';
import { deepFreeze } from '../watch/deep-freeze.ts';
import { withResourceVersion } from '../watch/stored-json.ts';
import { authorizeRequest } from '../authorize-request.ts';
import { admissionRequest } from './admission-request.ts';
import type { Answer, ObjectAnswer } from './answer.ts';
import { decodeBody, reportStrict } from './codec.ts';
import { convertedFrom } from './converted.ts';
import { expectedBody, storedSchema } from './expected-body.ts';
import { fillSystemMeta, matchNamespace, wipeSystemMeta } from './object-meta.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { dedupOwnerReferences } from './owner-references.ts';
import { admitOwned, ownChange, setManagedFields } from './ownership.ts';
import { encodeForStore } from './represent.ts';
import { strategyContext, type Registry, type RequestContext } from './request-context.ts';
import { groupKind, groupResource, storageKey, type ServedVersion } from './served-resource.ts';
import { writeOptions } from './write-options.ts';

const generatedNameAttempts = 8;

/** POST of a new object. */
export async function createObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const options = writeOptions(context.request, 'CreateOptions');
  const { definition } = served.resource;
  if (!context.body) throw newMethodNotAllowed();
  const expected = expectedBody(registry.schema, served);
  const decoded = decodeBody(context.body, expected);
  const received = reportStrict(decoded, expected, {
    mode: options.fieldValidation,
    warn: (message) => context.warn(message),
  });
  matchNamespace(received.metadata, served.type.namespaced, context.request.namespace);
  const turn = registry.large.giveWay(sizeOf(context));
  if (turn) await turn;
  if (definition.review) {
    served.version.defaults?.(received);
    const reviewed = await definition.review(received, strategyContext(registry, context, options.dryRun));
    return plainAnswer(reviewed, 201, undefined, served.version.schema);
  }
  return createDecoded(registry, served, { ...context, object: received, dryRun: options.dryRun });
}

function sizeOf({ body }: RequestContext): number {
  return body?.type === 'bytes' ? body.bytes.length : 0;
}

/** A request with an object that has been decoded and that nobody else holds. */
export interface DecodedRequest extends RequestContext {
  readonly object: DeepMutable<KubeObject>;
  readonly dryRun: boolean;
  /** The name comes from `generateName`; another one is made when it is taken. */
  readonly generated?: boolean;
  /** Who owns its fields; absent: the request's manager owns all. */
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** Defaults, admits, validates and stores a new object. Throws `StatusError`. */
export async function createDecoded(
  registry: Registry,
  served: ServedVersion,
  request: DecodedRequest,
): Promise<ObjectAnswer> {
  const strategy = strategyContext(registry, request, request.dryRun);
  const generated = !request.object.metadata.name;
  const object = await prepared(registry, served, request);
  const { definition } = served.resource;
  let allocation: Allocation | undefined;
  try {
    allocation = await definition.allocate?.(object, undefined, strategy);
    const answer = await admitAndStore(registry, served, { ...request, object, generated });
    if (request.dryRun) await allocation?.rollback();
    else await allocation?.commit();
    return answer;
  } catch (error) {
    await allocation?.rollback();
    throw error;
  }
}

async function prepared(
  registry: Registry,
  served: ServedVersion,
  request: DecodedRequest,
): Promise<DeepMutable<KubeObject>> {
  const { definition } = served.resource;
  const strategy: StrategyContext = strategyContext(registry, request, request.dryRun);
  served.version.defaults?.(request.object);
  const object = served.version.toStorage?.(request.object) ?? request.object;
  if (object.metadata.resourceVersion) {
    throw newUnknownError('resourceVersion should not be set on objects to be created');
  }
  delete object.metadata.resourceVersion;
  wipeSystemMeta(object);
  const repeated = dedupOwnerReferences(object.metadata);
  if (repeated !== undefined) request.warn(repeated);
  if (request.managedFields) setManagedFields(object, request.managedFields);
  else
    await ownChange(registry, served, request, {
      next: object,
      old: undefined,
      size: sizeOf(request),
    });
  const turn = registry.large.giveWay(sizeOf(request));
  if (turn) await turn;
  const admission = admissionRequest(registry, served, request, {
    operation: 'CREATE',
    name: object.metadata.name ?? '',
    dryRun: request.dryRun,
    object,
  });
  await admitOwned(object, request, () => registry.admission.admit(admission));
  fillSystemMeta(object, strategy.now);
  if (definition.generation) object.metadata.generation = 1;
  definition.prepareForCreate?.(object, strategy);
  return object;
}

async function validateNew(served: ServedVersion, object: KubeObject): Promise<void> {
  const { definition, stored } = served.resource;
  const own = definition.validate?.(object) ?? [];
  const errors = [
    ...validateObjectMeta(object.metadata, {
      namespaced: stored.namespaced,
      ...(definition.validateName ? { name: definition.validateName } : {}),
      qualifiedFinalizers: definition.qualifiedFinalizers ?? true,
    }),
    ...(definition.validateRules ? await definition.validateRules(own, object) : own),
    ...(served.version.validate?.(object) ?? []),
  ];
  if (errors.length > 0) throw newInvalid(groupKind(served), object.metadata.name ?? '', errors);
}

/** An update or patch that creates needs leave to create as well. Throws 403. */
function authorizeCreation({ authorizer }: Registry, { user, request }: RequestContext): void {
  const { group, version, resource, namespace, name } = request;
  authorizeRequest(authorizer, user, {
    verb: 'create',
    group,
    version,
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  });
}

async function admitAndStore(
  registry: Registry,
  served: ServedVersion,
  request: DecodedRequest,
): Promise<ObjectAnswer> {
  const { object, dryRun } = request;
  const size = sizeOf(request);
  await registry.large.giveWay(size);
  await validateNew(served, object);
  await registry.large.giveWay(size);
  if (request.request.verb !== 'create') authorizeCreation(registry, request);
  for (const warning of served.resource.definition.warnings?.(object) ?? []) request.warn(warning);
  await registry.admission.validate(
    admissionRequest(registry, served, request, {
      operation: 'CREATE',
      name: object.metadata.name ?? '',
      dryRun,
      object,
    }),
  );
  await registry.large.giveWay(size);
  for (let attempt = 1; ; attempt++) {
    try {
      return await storeNew(registry, served, request);
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'KEY_EXISTS') throw error;
      const name = object.metadata.name ?? '';
      const key = storageKey(served.resource, object.metadata.namespace, name);
      if (request.generated) {
        if (attempt < generatedNameAttempts) {
          object.metadata.name = '';
          fillSystemMeta(object, registry.clock.now());
          continue;
        }
        throw newGenerateNameConflict(groupResource(served), name);
      }
      const existing = served.resource.cache.get(key);
      const terminating = existing && served.resource.cache.object(existing).metadata.deletionTimestamp;
      throw terminating
        ? newObjectBeingDeleted(groupResource(served), name)
        : newAlreadyExists(groupResource(served), name);
    }
  }
}

async function storeNew(
  registry: Registry,
  served: ServedVersion,
  request: DecodedRequest,
): Promise<ObjectAnswer> {
  const { object } = request;
  const { cache, definition } = served.resource;
  const key = storageKey(served.resource, object.metadata.namespace, object.metadata.name ?? '');
  const bytes = await encodeForStore(object, storedSchema(registry.schema, served));
  if (request.dryRun) {
    await registry.feed.reached(registry.store.revision);
    if (cache.get(key)) throw new StoreError('KEY_EXISTS', `${key} exists`);
    const answered = deepFreeze(mutableCopy<KubeObject>(object));
    return plainAnswer(convertedFrom(served, answered), 201, served);
  }
  await registry.large.giveWay(bytes.length);
  cache.expect(bytes, object);
  const ttlMs = definition.ttlMs;
  const revision = await registry.store.create(key, bytes, ttlMs === undefined ? {} : { ttlMs });
  return writtenAnswer(registry, served, { key, bytes, object, revision, code: 201 });
}

/** What a committed write left behind. */
export interface Written {
  readonly key: string;
  readonly bytes: Buffer;
  readonly object: KubeObject;
  readonly revision: number;
  readonly code: number;
}

/** The answer to a write, once the caches have seen it. */
export async function writtenAnswer(
  registry: Registry,
  served: ServedVersion,
  written: Written,
): Promise<ObjectAnswer> {
  await registry.feed.reached(written.revision);
  const turn = registry.large.giveWay(written.bytes.length);
  if (turn) await turn;
  const live = (): KubeObject => {
    const entry = served.resource.cache.get(written.key);
    if (entry?.revision === written.revision) return served.resource.cache.object(entry);
    const metadata = { ...written.object.metadata, resourceVersion: String(written.revision) };
    return deepFreeze({ ...written.object, metadata }) as Live<KubeObject>;
  };
  if (served.version.fromStorage) return plainAnswer(convertedFrom(served, live()), written.code, served);
  if (served.version.custom) return plainAnswer(live(), written.code, served);
  return {
    type: 'object',
    code: written.code,
    served,
    json: () => withResourceVersion(written.bytes, written.revision),
    object: live,
  };
}

/** An answer that is not stored. */
export function plainAnswer(
  object: object,
  code: number,
  served?: ServedVersion,
  message?: string,
): ObjectAnswer {
  return {
    type: 'object',
    code,
    ...(served ? { served } : {}),
    ...(message === undefined ? {} : { message }),
    fresh: true,
    json: () => encodeJsonBytes(object),
    object: () => object,
  };
}
