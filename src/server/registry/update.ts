import { sameValue } from '../../machinery/same-value.ts';
import type { Allocation } from '../../api/resource.ts';
import { invalid, type FieldError } from '../../machinery/field-error.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import {
  newBadRequest,
  newConflict,
  newInvalid,
  newMethodNotAllowed,
  newNotFound,
  newUnknownError,
} from '../../machinery/status/errors.ts';
import { validateObjectMetaUpdate } from '../../machinery/validation/object-meta.ts';
import { StoreError } from '../../storage/kv.ts';
import type { AdmissionRequest } from '../admission/admission-chain.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import { withoutResourceVersion } from '../watch/stored-json.ts';
import { admissionRequest, type AdmissionBody } from './admission-request.ts';
import type { Answer, ObjectAnswer } from './answer.ts';
import { decodeBody, reportStrict } from './codec.ts';
import { convertedFrom } from './converted.ts';
import { createDecoded, plainAnswer, writtenAnswer } from './create.ts';
import { expectedBody, storedSchema } from './expected-body.ts';
import { matchNamespace } from './object-meta.ts';
import { entryAnswer, waitForLatest } from './read.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { dedupOwnerReferences } from './owner-references.ts';
import { admitOwned, ownChange, sameOwners, setManagedFields } from './ownership.ts';
import { encodeForStore } from './represent.ts';
import {
  strategyContext,
  type ComparisonPath,
  type Registry,
  type RequestContext,
} from './request-context.ts';
import { groupKind, groupResource, storageKey, type ServedVersion } from './served-resource.ts';
import { writeOptions } from './write-options.ts';

/** How an update makes the object to write. */
export interface Change {
  readonly dryRun: boolean;
  /** Whether the objects that {@link next} makes have their managedFields already; else they are the request's changes. */
  readonly owners?: 'given';
  /** The whole object with its changes, in the stored version; called again after a conflict. */
  next(old: Live<KubeObject>): DeepMutable<KubeObject> | Promise<DeepMutable<KubeObject>>;
  /** Creates the object when there is none, as upstream's `AllowCreateOnUpdate`; absent: NotFound. */
  create?(): Promise<ObjectAnswer>;
  /** What admission sees instead of the whole object. */
  readonly part?: AdmittedPart;
}

/** A subresource of another kind, made of an object: its scale. */
export interface AdmittedPart {
  readonly body: AdmissionBody;
  show(object: KubeObject): DeepMutable<KubeObject>;
  /** Writes what admission left of the part into the object. */
  take(next: DeepMutable<KubeObject>, part: DeepMutable<KubeObject>): void;
}

const attempts = 5;

/** PUT of an object or of its status. */
export async function updateObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const options = writeOptions(context.request, 'UpdateOptions');
  if (!context.body) throw newMethodNotAllowed();
  const expected = expectedBody(registry.schema, served);
  if (context.body.type === 'object') await giveWayTo(registry, served, context);
  const decoded = decodeBody(context.body, expected);
  const received = reportStrict(decoded, expected, {
    mode: options.fieldValidation,
    warn: (message) => context.warn(message),
  });
  checkName(received, context.request.name ?? '');
  matchNamespace(received.metadata, served.type.namespaced, context.request.namespace);
  const { dryRun } = options;
  const { definition } = served.resource;
  served.version.defaults?.(received);
  const stored = served.version.toStorage?.(received) ?? received;
  return changeObject(registry, served, context, {
    dryRun,
    next: (old) => {
      checkUid(served, stored, old);
      return mutableCopy<KubeObject>(stored);
    },
    ...(definition.createOnUpdate && context.request.subresource === undefined
      ? { create: () => createDecoded(registry, served, { ...context, object: received, dryRun }) }
      : {}),
  });
}

/** An object that was not sent as bytes is about as large as the one whose place it is to take. */
function giveWayTo(
  { large }: Registry,
  { resource }: ServedVersion,
  { request: { namespace, name = '' } }: RequestContext,
): Promise<void> | undefined {
  return large.giveWay(resource.cache.get(storageKey(resource, namespace, name))?.json.length ?? 0);
}

/** Throws a BadRequest unless the object is called what the URL says. */
export function checkName(object: KubeObject, name: string): void {
  const found = object.metadata.name ?? '';
  if (found === '') {
    throw newBadRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (found !== name) {
    throw newBadRequest(`the name of the object (${found}) does not match the name on the URL (${name})`);
  }
}

/** Changes the object that the request names, one change of a key at a time. Throws `StatusError`. */
export function changeObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  change: Change,
): Promise<ObjectAnswer> {
  return withEntry(registry, served, context, {
    run: (entry) => changeEntry(registry, served, context, { change, entry }),
    ...(change.create && { missing: () => change.create?.() }),
  });
}

/**
 * Stores what `modify` leaves of the object that the request names (`SubresourceDefinition.modify`): no admission, no
 * validation and no new generation of the object itself.
 */
export function modifyObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  change: { readonly dryRun: boolean; modify(object: DeepMutable<KubeObject>): void },
): Promise<ObjectAnswer> {
  return withEntry(registry, served, context, {
    run(entry) {
      const old = served.resource.cache.object(entry);
      const next = mutableCopy<KubeObject>(old);
      change.modify(next);
      return storeChange(registry, served, { next, old, entry, dryRun: change.dryRun });
    },
  });
}

interface EntryWork {
  run(entry: CacheEntry): Promise<ObjectAnswer>;
  /** Serves a name that does not exist; absent: NotFound. */
  missing?(): Promise<ObjectAnswer> | undefined;
}

/** Runs work on the newest entry, one work of a key at a time, again when another writer was faster. */
async function withEntry(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  work: EntryWork,
): Promise<ObjectAnswer> {
  const name = context.request.name ?? '';
  const key = storageKey(served.resource, context.request.namespace, name);
  return registry.locks.run(key, async () => {
    for (let attempt = 1; ; attempt++) {
      await waitForLatest(registry);
      const entry = served.resource.cache.get(key);
      if (!entry) {
        const made = await work.missing?.();
        if (made) return made;
        throw newNotFound(groupResource(served), name);
      }
      await registry.large.giveWay(entry.json.length);
      try {
        return await work.run(entry);
      } catch (error) {
        if (!(error instanceof StoreError) || !['REVISION_CONFLICT', 'KEY_NOT_FOUND'].includes(error.code))
          throw error;
        if (attempt === attempts) throw newConflict(groupResource(served), name);
      }
    }
  });
}

interface Target {
  readonly change: Change;
  readonly entry: CacheEntry;
}

function checkVersion(served: ServedVersion, next: DeepMutable<KubeObject>, old: Live<KubeObject>): void {
  const { metadata } = next;
  const { name } = old.metadata;
  if (!metadata.resourceVersion || metadata.resourceVersion === '0') {
    if (served.resource.definition.unconditionalUpdate === false) {
      const { group, resource } = served.type;
      throw newInvalid({ group, kind: resource }, name, [
        invalid('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]);
    }
    metadata.resourceVersion = old.metadata.resourceVersion;
  } else if (!/^\d+$/.test(metadata.resourceVersion)) {
    throw newUnknownError(
      `strconv.ParseUint: parsing ${JSON.stringify(metadata.resourceVersion)}: invalid syntax`,
    );
  }
  if (metadata.resourceVersion !== old.metadata.resourceVersion)
    throw newConflict(groupResource(served), name);
}

/** Throws the Conflict of a PUT that names another object's uid. */
export function checkUid(served: ServedVersion, { metadata }: KubeObject, old: Live<KubeObject>): void {
  const { name, namespace } = old.metadata;
  if (!metadata.uid || metadata.uid === old.metadata.uid) return;
  const path = served.resource.definition.storagePath ?? served.resource.stored.resource;
  const key = `/registry/${path}/${namespace ? `${namespace}/` : ''}${name}`;
  throw newConflict(
    groupResource(served),
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${old.metadata.uid}`,
  );
}

/** What an update can never change, whatever it says. */
function keepSystemMeta(next: DeepMutable<KubeObject>, old: Live<KubeObject>): void {
  const { metadata } = next;
  metadata.uid ??= old.metadata.uid;
  metadata.creationTimestamp = old.metadata.creationTimestamp;
  if (old.metadata.deletionTimestamp) metadata.deletionTimestamp = old.metadata.deletionTimestamp;
  if (old.metadata.deletionGracePeriodSeconds !== undefined) {
    metadata.deletionGracePeriodSeconds ??= old.metadata.deletionGracePeriodSeconds;
  }
  delete metadata.selfLink;
}

function specChanged(next: KubeObject, old: KubeObject): boolean {
  return !sameValue((next as { spec?: unknown }).spec, (old as { spec?: unknown }).spec);
}

function prepareStatus(
  next: DeepMutable<KubeObject>,
  old: Live<KubeObject>,
  keeps: 'metadata' | 'rest',
): DeepMutable<KubeObject> {
  const { status } = next as { status?: unknown };
  const { resourceVersion, uid } = next.metadata;
  const kept = mutableCopy<KubeObject>(old) as DeepMutable<KubeObject> & { status?: unknown };
  if (keeps === 'rest') kept.metadata = next.metadata;
  if (resourceVersion) kept.metadata.resourceVersion = resourceVersion;
  if (uid) kept.metadata.uid = uid;
  if (status === undefined) delete kept.status;
  else kept.status = status;
  return kept;
}

async function changeEntry(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { change, entry }: Target,
): Promise<ObjectAnswer> {
  const { cache, definition } = served.resource;
  const old = cache.object(entry);
  const strategy = strategyContext(registry, context, change.dryRun);
  const { subresource } = context.request;
  let next = await change.next(old);
  const repeated = dedupOwnerReferences(next.metadata);
  if (repeated !== undefined) context.warn(repeated);
  const size = entry.json.length;
  await registry.large.giveWay(size);
  if (change.owners !== 'given') await ownChange(registry, served, context, { next, old, size });
  await registry.large.giveWay(size);
  const admission = updateAdmission(registry, served, context, { change, next, old });
  await admitOwned(next, context, () => registry.admission.admit(admission));
  if (change.part && admission.object) change.part.take(next, admission.object);
  const owners = next.metadata.managedFields;
  checkVersion(served, next, old);
  if (old.metadata.generation !== undefined) next.metadata.generation = old.metadata.generation;
  else delete next.metadata.generation;
  const part = subresource === undefined ? undefined : definition.subresources?.[subresource];
  if (subresource === 'status') {
    if (definition.status?.prepare) definition.status.prepare(next, old, strategy);
    else {
      const keeps = definition.status?.resets?.includes('metadata') ? 'metadata' : 'rest';
      next = prepareStatus(next, old, keeps);
    }
  } else if (part) {
    part.merge?.(next, old, strategy);
  } else {
    definition.prepareForUpdate?.(next, old, strategy);
  }
  keepSystemMeta(next, old);
  setManagedFields(next, owners);
  if (
    subresource !== 'status' &&
    definition.generation &&
    (definition.generationChanged ?? specChanged)(next, old)
  ) {
    next.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  let allocation: Allocation | undefined;
  try {
    if (subresource !== 'status') allocation = await definition.allocate?.(next, old, strategy);
    await registry.large.giveWay(size);
    await validateChange(served, { next, old, subresource });
    await registry.large.giveWay(size);
    for (const warning of definition.warnings?.(next, old) ?? []) context.warn(warning);
    await registry.admission.validate(updateAdmission(registry, served, context, { change, next, old }));
    await registry.large.giveWay(size);
    const answer = await storeChange(registry, served, { next, old, entry, dryRun: change.dryRun });
    if (change.dryRun) await allocation?.rollback();
    else await allocation?.commit();
    return answer;
  } catch (error) {
    await allocation?.rollback();
    throw error;
  }
}

interface Updating {
  readonly change: Change;
  readonly next: DeepMutable<KubeObject>;
  readonly old: Live<KubeObject>;
}

/** The update as admission sees it: of the object, or of the part that is written. */
function updateAdmission(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { change: { dryRun, part }, next, old }: Updating,
): AdmissionRequest {
  return admissionRequest(registry, served, context, {
    operation: 'UPDATE',
    name: old.metadata.name,
    dryRun,
    object: part ? part.show(next) : next,
    oldObject: part ? part.show(old) : old,
    ...(part && { body: part.body }),
  });
}

interface Changed {
  readonly next: DeepMutable<KubeObject>;
  readonly old: Live<KubeObject>;
  readonly subresource: string | undefined;
}

async function validateChange(served: ServedVersion, { next, old, subresource }: Changed): Promise<void> {
  const { definition, stored } = served.resource;
  const part = subresource === undefined ? undefined : definition.subresources?.[subresource];
  const withRules = async (own: FieldError[]): Promise<FieldError[]> =>
    definition.validateRules ? definition.validateRules(own, next, old) : own;
  const errors = [
    ...validateObjectMetaUpdate(next.metadata, old.metadata, {
      namespaced: stored.namespaced,
      ...(definition.validateName ? { name: definition.validateName } : {}),
      qualifiedFinalizers: definition.qualifiedFinalizers ?? true,
    }),
    ...(subresource === 'status'
      ? await withRules(definition.status?.validate?.(next, old) ?? [])
      : part
        ? (part.validateUpdate?.(next, old) ?? [])
        : [
            ...(await withRules(definition.validateUpdate?.(next, old) ?? [])),
            ...(served.version.validateUpdate?.(next, old) ?? []),
          ]),
  ];
  if (errors.length > 0) throw newInvalid(groupKind(served), old.metadata.name, errors);
}

interface Storing {
  readonly next: DeepMutable<KubeObject>;
  readonly old: Live<KubeObject>;
  readonly entry: CacheEntry;
  readonly dryRun: boolean;
}

/** Whether nothing holds an object that is being deleted any longer. */
export function isReleased(served: ServedVersion, object: KubeObject): boolean {
  const { definition } = served.resource;
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (!deletionTimestamp || (finalizers?.length ?? 0) > 0) return false;
  if (definition.hasSpecFinalizers?.(object)) return false;
  return (deletionGracePeriodSeconds ?? 0) === 0;
}

async function storeChange(
  registry: Registry,
  served: ServedVersion,
  { next, old, entry, dryRun }: Storing,
): Promise<ObjectAnswer> {
  const { cache, definition } = served.resource;
  if (isReleased(served, next) && !dryRun) {
    await registry.store.delete(entry.key, entry.revision);
    await definition.release?.(old, registry.server);
    await waitForLatest(registry);
    return plainAnswer(convertedFrom(served, next), 200, served);
  }
  const bytes = await encodeForStore(next, storedSchema(registry.schema, served));
  await registry.large.giveWay(bytes.length);
  if (await isUnchanged(registry, served, { next, old, bytes, entry })) return entryAnswer(served, entry);
  await registry.large.giveWay(bytes.length);
  if (dryRun) return plainAnswer(convertedFrom(served, next), 200, served);
  cache.expect(bytes, next);
  const revision = await registry.store.update(entry.key, bytes, entry.revision);
  return writtenAnswer(registry, served, { key: entry.key, bytes, object: next, revision, code: 200 });
}

interface Encoded {
  readonly next: KubeObject;
  readonly old: KubeObject;
  /** The stored form of `next`. */
  readonly bytes: Buffer;
  readonly entry: CacheEntry;
}

/** {@link compareUpdate}, timed. */
async function isUnchanged(registry: Registry, served: ServedVersion, update: Encoded): Promise<boolean> {
  const since = registry.clock.monotonic();
  const path = await compareUpdate(registry, served, update);
  registry.observer?.compared(path, registry.clock.monotonic() - since);
  return path === 'equalObjectsSlow';
}

/**
 * Whether an update changes nothing, or nothing but the times in managedFields. A custom resource that is still stored in
 * another form than today's is written anew.
 */
async function compareUpdate(
  registry: Registry,
  served: ServedVersion,
  { next, old, bytes, entry }: Encoded,
): Promise<ComparisonPath> {
  if (!sameOwners(next, old)) return 'unequalObjectsFast';
  const schema = storedSchema(registry.schema, served);
  const before = schema.custom ? await encodeForStore(old, schema) : withoutResourceVersion(entry.json);
  // Times in managedFields have one length.
  if (bytes.length !== before.length) return 'unequalObjectsFast';
  if (bytes.equals(before))
    return !schema.custom || (await isStored(registry, entry.key, bytes))
      ? 'equalObjectsSlow'
      : 'unequalObjectsSlow';
  const timeless = { ...next, metadata: { ...next.metadata } };
  setManagedFields(timeless as DeepMutable<KubeObject>, old.metadata.managedFields);
  return (await encodeForStore(timeless, schema)).equals(before) ? 'equalObjectsSlow' : 'unequalObjectsSlow';
}

async function isStored({ store }: Registry, key: string, bytes: Buffer): Promise<boolean> {
  const held = await store.get(key);
  return held === undefined || bytes.equals(held.value);
}
