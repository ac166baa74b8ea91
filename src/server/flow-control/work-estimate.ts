import type { RequestInfo } from '../http/request-info.ts';

/** Objects that one seat is worth when they are listed. */
const objectsPerSeat = 100;
const maxSeats = 10;
/** Watchers that one seat is worth when they hear of a change. */
const watchersPerSeat = 10;
const latencyPerSeatMs = 5;

/** What is known of the resource that a request is about. */
export interface ResourceSize {
  readonly objects: number;
  readonly watchers: number;
}

/** How many seats a request takes, and how long afterwards what it has caused still does. */
export interface WorkEstimate {
  readonly seats: number;
  readonly afterwards?: { readonly seats: number; readonly ms: number };
}

const one: WorkEstimate = { seats: 1 };

function listed(objects: number, query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 0) || 0;
  const selects = query.has('labelSelector') || query.has('fieldSelector');
  if (query.get('resourceVersion')) return objects;
  return limit === 0 || selects ? objects : Math.min(objects, limit);
}

/** Lists, and watches that begin with one, take a seat per hundred objects; writes one more per ten watchers for a moment. */
export function estimateWork(
  info: RequestInfo,
  query: URLSearchParams,
  size: ResourceSize | undefined,
): WorkEstimate {
  if (!info.isResource || !size) return one;
  const initial = info.verb === 'watch' && query.get('sendInitialEvents') === 'true';
  if ((info.verb === 'list' || initial) && info.name === undefined) {
    const seats = Math.ceil(listed(size.objects, query) / objectsPerSeat);
    return { seats: Math.min(maxSeats, Math.max(1, seats)) };
  }
  if (!['create', 'update', 'patch', 'delete'].includes(info.verb) || size.watchers < watchersPerSeat)
    return one;
  const seats = Math.ceil(size.watchers / watchersPerSeat);
  return { seats: 1, afterwards: { seats: Math.min(maxSeats, seats), ms: seats * latencyPerSeatMs } };
}
