import type { ListMeta } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import {
  newNotFound,
  newResourceExpired,
  newTooLargeResourceVersion,
} from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { CacheEntry } from '../watch/resource-cache.ts';
import type { SortedEntries } from '../watch/sorted-entries.ts';
import type { Answer, ListAnswer, ObjectAnswer } from './answer.ts';
import { encodeContinue } from './continue-token.ts';
import { listOptions, parseRevision, type ListOptions } from './list-options.ts';
import { entryJson, entryObject } from './represent.ts';
import type { Registry, RequestContext } from './request-context.ts';
import { selectionOf } from './selection.ts';
import { groupResource, storageKey, type ServedVersion } from './served-resource.ts';

const reachTimeoutMs = 3_000;

/** Waits until the caches have seen `revision`, at most three seconds, as upstream does. Throws its 504. */
export async function waitForRevision(registry: Registry, revision: number): Promise<void> {
  const reached = registry.feed.reached(revision);
  if (!reached) return;
  if (revision <= registry.store.revision) return reached;
  await new Promise<void>((resolve, reject) => {
    const timer = registry.clock.after(reachTimeoutMs, () =>
      reject(newTooLargeResourceVersion(String(revision), String(registry.feed.revision))),
    );
    reached.then(
      () => {
        timer.cancel();
        resolve();
      },
      (error: unknown) => {
        timer.cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

/** Waits until the caches have seen every write that was acknowledged before. */
export async function waitForLatest(registry: Registry): Promise<void> {
  await registry.feed.reached(registry.store.revision);
}

/** Waits with one of these, and tells how long that took. */
async function waitToRead(
  { observer, clock }: Registry,
  { resource }: ServedVersion,
  wait: () => Promise<void>,
): Promise<void> {
  const since = clock.monotonic();
  try {
    await wait();
  } finally {
    observer?.waited(resource, clock.monotonic() - since);
  }
}

async function waitToList(registry: Registry, served: ServedVersion): Promise<void> {
  try {
    await waitToRead(registry, served, () => waitForLatest(registry));
  } catch (error) {
    registry.observer?.readNewest(served.resource, 'failure');
    throw error;
  }
  registry.observer?.readNewest(served.resource, 'success');
}

/** The newest state of one object. Throws NotFound. */
export async function latestEntry(
  registry: Registry,
  served: ServedVersion,
  request: { readonly namespace?: string; readonly name?: string },
): Promise<CacheEntry> {
  await waitForLatest(registry);
  const name = request.name ?? '';
  const entry = served.resource.cache.get(storageKey(served.resource, request.namespace, name));
  if (!entry) throw newNotFound(groupResource(served), name);
  return entry;
}

/** The answer that is one stored object. */
export function entryAnswer(served: ServedVersion, entry: CacheEntry, code = 200): ObjectAnswer {
  return {
    type: 'object',
    code,
    served,
    json: () => entryJson(served, entry),
    object: () => entryObject(served, entry),
  };
}

/** GET of one object. */
export async function getObject(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<Answer> {
  const revision = parseRevision(context.request.params?.['resourceVersion']);
  if (revision) await waitToRead(registry, served, () => waitForRevision(registry, revision));
  return entryAnswer(served, await latestEntry(registry, served, context.request));
}

function inconsistentExpired(after: string): StatusError {
  const { status } = newResourceExpired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  return new StatusError({ ...status, metadata: { continue: encodeContinue({ revision: -1, after }) } });
}

async function stateFor(
  registry: Registry,
  served: ServedVersion,
  options: ListOptions,
): Promise<{ readonly revision: number; readonly entries: SortedEntries<CacheEntry> }> {
  const { cache } = served.resource;
  const token = options.continue;
  if (token && token.revision > 0) {
    await waitToRead(registry, served, () => waitForRevision(registry, token.revision));
    const entries = cache.snapshot(token.revision);
    if (!entries) throw inconsistentExpired(token.after);
    return { revision: token.revision, entries };
  }
  const { revision } = options;
  if (revision === undefined) await waitToList(registry, served);
  else if (revision > 0) await waitToRead(registry, served, () => waitForRevision(registry, revision));
  if (options.match === 'Exact' && options.revision) {
    const entries = cache.snapshot(options.revision);
    if (!entries) {
      throw newResourceExpired('The resourceVersion for the provided list is too old.');
    }
    return { revision: options.revision, entries };
  }
  return { revision: registry.feed.revision, entries: cache.current() };
}

/** LIST: one page of the objects that the request selects, in order of namespace and name. */
export async function listObjects(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<ListAnswer> {
  const options = listOptions(context.request);
  const selection = selectionOf(served, context.request);
  const { revision, entries } = await stateFor(registry, served, options);
  const found: CacheEntry[] = [];
  const after = options.continue ? `${selection.prefix}${options.continue.after}` : '';
  let more = 0;
  let looked = 0;
  let last: CacheEntry | undefined;
  for (const entry of entries.range(selection.prefix, after)) {
    if (options.limit > 0 && found.length === options.limit) {
      more = selection.filtered || !last ? 1 : entries.countAfter(selection.prefix, last.key);
      break;
    }
    looked++;
    if (selection.filtered && !selection.matches(entry)) continue;
    found.push(entry);
    last = entry;
  }
  const metadata: { -readonly [K in keyof ListMeta]: ListMeta[K] } = { resourceVersion: String(revision) };
  if (more > 0 && last) {
    served.resource.cache.keep(revision);
    metadata.continue = encodeContinue({ revision, after: last.key.slice(selection.prefix.length) });
    if (!selection.filtered) metadata.remainingItemCount = more;
  }
  registry.observer?.listed(served.resource, { looked, returned: found.length });
  return { type: 'list', served, metadata, entries: found };
}

/** The decoded objects of a list, in the version asked for. */
export function listItems(answer: ListAnswer): KubeObject[] {
  return answer.entries.map((entry) => entryObject(answer.served, entry));
}
