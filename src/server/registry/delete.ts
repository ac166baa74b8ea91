import { timestamp } from '../../base/clock.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import { qualified } from '../../machinery/group-resource.ts';
import { newConflict, newNotFound } from '../../machinery/status/errors.ts';
import { newSuccess } from '../../machinery/status/success.ts';
import { StoreError } from '../../storage/kv.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import { admissionRequest } from './admission-request.ts';
import type { Answer, ListAnswer, ObjectAnswer } from './answer.ts';
import { convertedFrom, plainAnswer, writtenAnswer } from './create.ts';
import { deleteOptions, type DeleteOptions } from './delete-options.ts';
import { storedSchema } from './expected-body.ts';
import { listObjects, waitForLatest } from './read.ts';
import { encodeStored, mutableCopy } from './represent.ts';
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
  const name = context.request.name ?? '';
  return deleteNamed(registry, served, context, { name, options });
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

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}

interface Target {
  readonly entry: CacheEntry;
  readonly options: DeleteOptions;
}

/**
 * Marks `next` for deletion as upstream's BeforeDelete does. Returns whether the grace period keeps the object. A period that
 * was set before can only become shorter.
 */
function beginDeletion(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { next, options }: { readonly next: DeepMutable<KubeObject>; readonly options: DeleteOptions },
): boolean {
  const { definition } = served.resource;
  const strategy = strategyContext(registry, context, options.dryRun);
  const { metadata } = next;
  const requested =
    options.gracePeriodSeconds === undefined
      ? undefined
      : options.gracePeriodSeconds < 0
        ? 1
        : options.gracePeriodSeconds;
  if (metadata.deletionTimestamp) {
    const running = metadata.deletionGracePeriodSeconds ?? 0;
    if (!definition.gracefulDelete || running === 0) return false;
    const shorter = requested;
    if (shorter === undefined || shorter >= running) return true;
    const started = Date.parse(metadata.deletionTimestamp) - running * 1000;
    metadata.deletionTimestamp = timestamp(Math.max(started + shorter * 1000, strategy.now));
    metadata.deletionGracePeriodSeconds = shorter;
    return shorter > 0;
  }
  if (!definition.gracefulDelete) return false;
  const seconds = definition.gracefulDelete(next, requested, strategy);
  if (seconds === 0) return false;
  metadata.deletionTimestamp = timestamp(strategy.now + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation) metadata.generation += 1;
  return true;
}

async function deleteEntry(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { entry, options }: Target,
): Promise<ObjectAnswer> {
  const { cache, definition } = served.resource;
  const old = cache.object(entry);
  const admission = admissionRequest(served, context, {
    operation: 'DELETE',
    name: entry.name,
    dryRun: options.dryRun,
    oldObject: old,
  });
  await registry.admission.admit(admission);
  await registry.admission.validate(admission);
  checkPreconditions(served, old, options);
  const next = mutableCopy<KubeObject>(old) as DeepMutable<KubeObject>;
  const graceful = beginDeletion(registry, served, context, { next, options });
  const current = old.metadata.finalizers ?? [];
  const finalizers = finalizersFor(current, options, definition.defaultPropagation);
  if (finalizers.length > 0) next.metadata.finalizers = finalizers;
  else delete next.metadata.finalizers;
  const held = finalizers.length > 0 || definition.hasSpecFinalizers?.(next) === true;
  if (!graceful && held && !next.metadata.deletionTimestamp) {
    next.metadata.deletionTimestamp = timestamp(registry.clock.now());
    next.metadata.deletionGracePeriodSeconds = 0;
    if (next.metadata.generation) next.metadata.generation += 1;
  } else if (!graceful && next.metadata.deletionTimestamp) {
    next.metadata.deletionGracePeriodSeconds = 0;
  }
  if (graceful || held) {
    const unchanged =
      sameNames(current, finalizers) &&
      next.metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
      next.metadata.deletionGracePeriodSeconds === old.metadata.deletionGracePeriodSeconds;
    if (unchanged || options.dryRun)
      return plainAnswer(convertedFrom(served, unchanged ? old : next), 200, served);
    const bytes = encodeStored(next, storedSchema(registry.schema, served));
    cache.expect(bytes, next);
    const revision = await registry.store.update(entry.key, bytes, entry.revision);
    return writtenAnswer(registry, served, { key: entry.key, bytes, object: next, revision, code: 200 });
  }
  if (!options.dryRun) {
    await registry.store.delete(entry.key, entry.revision);
    definition.release?.(old);
    await waitForLatest(registry);
  }
  return deletedAnswer(served, old);
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
