import type { WatchSelection } from '../watch/watch-stream.ts';
import { checkListOptions, parseRevision, timeoutSeconds } from './list-options.ts';
import { waitForLatest, waitForRevision } from './read.ts';
import type { Registry, RequestContext } from './request-context.ts';
import { selectionOf } from './selection.ts';
import type { ServedVersion } from './served-resource.ts';

/** A checked WATCH request. */
export interface WatchPlan {
  readonly selection: WatchSelection;
  /** Undefined: start with the state now. */
  readonly after: number | undefined;
  readonly bookmarks: boolean;
  /** `sendInitialEvents`: a bookmark marks the end of the state. */
  readonly markInitialEnd: boolean;
  /** Milliseconds after which the server ends the watch. */
  readonly lengthMs: number;
}

const shortestMs = 30 * 60_000;

/** Checks a WATCH and waits until the caches can serve it. Throws a BadRequest or an Invalid. */
export async function planWatch(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
): Promise<WatchPlan> {
  const { request } = context;
  const params = request.params ?? {};
  checkListOptions(request);
  const selection = selectionOf(served, request);
  const revision = parseRevision(params['resourceVersion']);
  const initial = params['sendInitialEvents'] === 'true' || params['sendInitialEvents'] === '1';
  const suppressed = params['sendInitialEvents'] !== undefined && !initial;
  await waitForLatest(registry);
  if (initial && revision !== undefined) await waitForRevision(registry, revision);
  const fromNow = initial || revision === undefined || revision === 0;
  const seconds = timeoutSeconds(request);
  return {
    selection,
    after: suppressed && (revision ?? 0) === 0 ? registry.feed.revision : fromNow ? undefined : revision,
    bookmarks: ['true', '1'].includes(params['allowWatchBookmarks'] ?? ''),
    markInitialEnd: initial,
    lengthMs: seconds === undefined ? shortestMs * (1 + Math.random()) : seconds * 1000,
  };
}
