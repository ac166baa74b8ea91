import { StatusError } from '../../machinery/status-error.ts';
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
  /** What the watch is answered with in place of events. */
  readonly failure?: StatusError;
  /** Milliseconds after which the server ends the watch. */
  readonly lengthMs: number;
}

/** Upstream's answer to a version that the server does not reach in time. */
async function unreached(registry: Registry, revision: number): Promise<StatusError | undefined> {
  try {
    await waitForRevision(registry, revision);
    return undefined;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
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
  const failure = initial && revision !== undefined ? await unreached(registry, revision) : undefined;
  const fromNow = initial || revision === undefined || revision === 0;
  const seconds = timeoutSeconds(request);
  return {
    selection,
    after: suppressed && (revision ?? 0) === 0 ? registry.feed.revision : fromNow ? undefined : revision,
    bookmarks: ['true', '1'].includes(params['allowWatchBookmarks'] ?? ''),
    markInitialEnd: initial,
    ...(failure ? { failure } : {}),
    lengthMs: seconds === undefined ? shortestMs * (1 + Math.random()) : seconds * 1000,
  };
}
