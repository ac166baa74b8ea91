import { timestamp } from '../../base/clock.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import { qualified } from '../../machinery/group-resource.ts';
import { newConflict, newNotFound } from '../../machinery/status/errors.ts';
import { newSuccess } from '../../machinery/status/success.ts';
import { StoreError } from '../../storage/kv.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import { admissionRequest } from './admission-request.ts';
import type { Answer, ListAnswer, ObjectAnswer } from './answer.ts';
import { convertedFrom } from './converted.ts';
import { plainAnswer, writtenAnswer } from './create.ts';
import { deleteOptions, type DeleteOptions } from './delete-options.ts';
import { storedSchema } from './expected-body.ts';
import { listObjects, waitForLatest } from './read.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { encodeForStore } from './represent.ts';
import { strategyContext, type Registry, type RequestContext } from './request-context.ts';
import { groupKind, groupResource, storageKey, type ServedVersion } from './served-resource.ts';

const attempts = 5;

/** DELETE of one object: at once, or by marking it when a grace period or finalizers hold it. */
export async function deleteObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const options = deleteOptions(registry.schema, context);
  warnOfOrphans(served, context, options);
  const name = context.request.name ?? '';
  return deleteNamed(registry, served, context, { name, options });
}

function defaultPropagation({ version, resource }: ServedVersion): 'background' | 'orphan' | undefined {
  return version.defaultPropagation ?? resource.definition.defaultPropagation;
}

function warnOfOrphans(served: ServedVersion, context: RequestContext, options: DeleteOptions): void {
  const warning = served.resource.definition.orphanWarning;
  if (warning === undefined || options.propagation || defaultPropagation(served) !== 'orphan') return;
  context.warn(warning);
}

interface Deletion {
  readonly name: string;
  readonly options: DeleteOptions;
}

async function deleteNamed(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { name, options }: Deletion,
): Promise<ObjectAnswer> {
  const key = storageKey(served.resource, context.request.namespace, name);
  return registry.locks.run(key, async () => {
    for (let attempt = 1; ; attempt++) {
      await waitForLatest(registry);
      const entry = served.resource.cache.get(key);
      if (!entry) throw newNotFound(groupResource(served), name);
      await registry.large.giveWay(entry.json.length);
      try {
        return await deleteEntry(registry, served, context, { entry, options });
      } catch (error) {
        if (!(error instanceof StoreError) || !['REVISION_CONFLICT', 'KEY_NOT_FOUND'].includes(error.code))
          throw error;
        if (attempt === attempts) throw newConflict(groupResource(served), name);
      }
    }
  });
}

function checkPreconditions(served: ServedVersion, object: Live<KubeObject>, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  const { group, kind } = groupKind(served);
  const subject = { group: '', resource: qualified(kind, group) };
  const { metadata } = object;
  if (uid !== undefined && uid !== metadata.uid) {
    throw newConflict(
      subject,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw newConflict(
      subject,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/** The finalizers after the propagation policy had its say. */
export function finalizersFor(
  current: readonly string[],
  options: Pick<DeleteOptions, 'propagation'>,
  byDefault: 'background' | 'orphan' | undefined,
): string[] {
  const others = current.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion');
  const orphan = options.propagation
    ? options.propagation === 'Orphan'
    : current.includes('orphan') || (!current.includes('foregroundDeletion') && byDefault === 'orphan');
  const foreground = options.propagation
    ? options.propagation === 'Foreground'
    : !orphan && current.includes('foregroundDeletion');
  return [...others, ...(orphan ? ['orphan'] : []), ...(foreground ? ['foregroundDeletion'] : [])];
}

interface Target {
  readonly entry: CacheEntry;
  readonly options: DeleteOptions;
}

/**
 * Marks `next` for deletion as upstream's BeforeDelete does. `pending`: a grace period runs already and does not become shorter;
 * `graceful`: the mark has to be stored; `immediate`: the resource knows no grace, or the period is over.
 */
function beginDeletion(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { next, options }: { readonly next: DeepMutable<KubeObject>; readonly options: DeleteOptions },
): 'immediate' | 'graceful' | 'pending' {
  const { gracefulDelete, hasSpecFinalizers } = served.resource.definition;
  if (!gracefulDelete) return 'immediate';
  const strategy = strategyContext(registry, context, options.dryRun);
  const { metadata } = next;
  const asked = options.gracePeriodSeconds;
  const requested = asked !== undefined && asked < 0 ? 1 : asked;
  if (metadata.deletionTimestamp) {
    const running = metadata.deletionGracePeriodSeconds ?? 0;
    if (running === 0) return 'immediate';
    if (requested === undefined || requested >= running) return 'pending';
    const started = Date.parse(metadata.deletionTimestamp) - running * 1000;
    metadata.deletionTimestamp = timestamp(Math.max(started + requested * 1000, strategy.now));
    metadata.deletionGracePeriodSeconds = requested;
    return 'graceful';
  }
  const seconds = gracefulDelete(next, requested, strategy);
  metadata.deletionTimestamp = timestamp(strategy.now + seconds * 1000);
  if (!hasSpecFinalizers) metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation) metadata.generation += 1;
  return 'graceful';
}

async function deleteEntry(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { entry, options }: Target,
): Promise<ObjectAnswer> {
  const { cache, definition } = served.resource;
  const old = cache.object(entry);
  checkPreconditions(served, old, options);
  if (definition.markDeleted && !old.metadata.deletionTimestamp) {
    return markDeleted(registry, served, context, { entry, options });
  }
  const admission = admissionRequest(registry, served, context, {
    operation: 'DELETE',
    name: context.request.verb === 'deletecollection' ? '' : entry.name,
    dryRun: options.dryRun,
    oldObject: old,
    deletion: options.fields,
  });
  await registry.admission.admit(admission);
  await registry.admission.validate(admission);
  const next = mutableCopy<KubeObject>(old);
  const begun = beginDeletion(registry, served, context, { next, options });
  if (begun === 'pending') return plainAnswer(convertedFrom(served, old), 200, served);
  const finalizers = finalizersFor(old.metadata.finalizers ?? [], options, defaultPropagation(served));
  if (finalizers.length > 0) next.metadata.finalizers = finalizers;
  else delete next.metadata.finalizers;
  const held = finalizers.length > 0 || definition.hasSpecFinalizers?.(next) === true;
  if (begun === 'immediate' && held && !next.metadata.deletionTimestamp) {
    next.metadata.deletionTimestamp = timestamp(registry.clock.now());
    if (next.metadata.generation) next.metadata.generation += 1;
  }
  if (begun === 'immediate' && held && !definition.hasSpecFinalizers)
    next.metadata.deletionGracePeriodSeconds = 0;
  const lingers = held || (begun === 'graceful' && next.metadata.deletionGracePeriodSeconds !== 0);
  const marked = await storeMark(registry, served, { entry, old, next, options });
  if (lingers)
    return options.dryRun || !marked
      ? plainAnswer(convertedFrom(served, next), acceptedCode(options), served)
      : marked;
  if (!options.dryRun) {
    await registry.store.delete(
      entry.key,
      marked ? Number((marked.object() as Live<KubeObject>).metadata.resourceVersion) : entry.revision,
    );
    await definition.release?.(old, registry.server);
    await waitForLatest(registry);
  }
  if (definition.returnsDeleted) return marked ?? plainAnswer(convertedFrom(served, next), 200, served);
  return deletedAnswer(served, old);
}

/** The first deletion of a kind that marks its objects itself. */
async function markDeleted(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { entry, options }: Target,
): Promise<ObjectAnswer> {
  const { cache, definition } = served.resource;
  const old = cache.object(entry);
  const next = mutableCopy<KubeObject>(old);
  next.metadata.deletionTimestamp = timestamp(registry.clock.now());
  definition.markDeleted?.(next, strategyContext(registry, context, options.dryRun));
  const marked = await storeMark(registry, served, { entry, old, next, options });
  return marked ?? plainAnswer(convertedFrom(served, next), 200, served);
}

/** 202 when the client asked for dependents first in the old way and the object is still there. */
function acceptedCode(options: DeleteOptions): number {
  return options.orphanDependents === false ? 202 : 200;
}

interface Mark {
  readonly entry: CacheEntry;
  readonly old: Live<KubeObject>;
  readonly next: DeepMutable<KubeObject>;
  readonly options: DeleteOptions;
}

/** Stores the marks of a deletion that does not happen at once; undefined when there is nothing to store. */
async function storeMark(
  registry: Registry,
  served: ServedVersion,
  { entry, old, next, options }: Mark,
): Promise<ObjectAnswer | undefined> {
  if (options.dryRun || !next.metadata.deletionTimestamp) return undefined;
  const schema = storedSchema(registry.schema, served);
  const bytes = await encodeForStore(next, schema);
  await registry.large.giveWay(bytes.length);
  if (bytes.equals(await encodeForStore(old, schema))) return undefined;
  await registry.large.giveWay(bytes.length);
  served.resource.cache.expect(bytes, next);
  const revision = await registry.store.update(entry.key, bytes, entry.revision);
  const code = acceptedCode(options);
  return writtenAnswer(registry, served, { key: entry.key, bytes, object: next, revision, code });
}

function deletedAnswer(served: ServedVersion, object: Live<KubeObject>): ObjectAnswer {
  const { group, resource } = served.type;
  const { name, uid } = object.metadata;
  return plainAnswer(newSuccess({ name, ...(group === '' ? {} : { group }), kind: resource, uid }), 200);
}

const concurrentDeletions = 16;

/** DELETE of everything that the request selects; answers with the list of it as it was. */
export async function deleteCollection(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const options = deleteOptions(registry.schema, context);
  warnOfOrphans(served, context, options);
  const list: ListAnswer = await listObjects(registry, served, context);
  const pending = [...list.entries];
  await Promise.all(
    Array.from({ length: Math.min(concurrentDeletions, pending.length) }, async () => {
      for (let entry = pending.shift(); entry; entry = pending.shift()) {
        await deleteListed(registry, served, context, { entry, options });
      }
    }),
  );
  return list;
}

async function deleteListed(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { entry, options }: Target,
): Promise<void> {
  const request = { ...context.request, namespace: entry.namespace, name: entry.name };
  try {
    await deleteNamed(registry, served, { ...context, request }, { name: entry.name, options });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
