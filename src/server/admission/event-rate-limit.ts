import type { Event } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { newTooManyRequests } from '../../machinery/status/errors.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission-chain.ts';

/** One limit of `eventratelimit.admission.k8s.io` `Configuration`. */
export interface EventLimit {
  readonly type: 'Server' | 'Namespace' | 'User' | 'SourceAndObject';
  readonly qps: number;
  readonly burst: number;
  /** How many namespaces, users or sources are told apart; those seen least recently start afresh. */
  readonly cacheSize?: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const defaultCacheSize = 4096;
const defaultLimits: readonly EventLimit[] = [{ type: 'Server', qps: 5000, burst: 20_000 }];

function keyOf(type: EventLimit['type'], request: AdmissionRequest): string {
  if (type === 'Namespace') return request.namespace;
  if (type === 'User') return request.user.name;
  if (type === 'Server') return '';
  const { source, involvedObject: about } = request.object as KubeObject as Event;
  return [
    source?.component,
    source?.host,
    about.kind,
    about.namespace,
    about.name,
    about.uid,
    about.apiVersion,
  ].join('');
}

function createLimit(limit: EventLimit, clock: Clock): (request: AdmissionRequest) => string | undefined {
  const buckets = new Map<string, Bucket>();
  const { type, qps, burst, cacheSize = defaultCacheSize } = limit;
  return (request) => {
    const key = keyOf(type, request);
    const now = clock.monotonic();
    const known = buckets.get(key);
    const tokens = known ? Math.min(burst, known.tokens + ((now - known.at) / 1000) * qps) : burst;
    buckets.delete(key);
    buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    const [oldest] = buckets.keys();
    if (buckets.size > cacheSize && oldest !== undefined) buckets.delete(oldest);
    return tokens >= 1 ? undefined : `limit reached on type ${type} for key ${key}`;
  };
}

/** Refuses events that come faster than the limits allow (upstream's EventRateLimit; off by default). */
export function eventRateLimit(clock: Clock, limits: readonly EventLimit[] = defaultLimits): AdmissionPlugin {
  const buckets = limits.map((limit) => createLimit(limit, clock));
  return {
    name: 'EventRateLimit',
    validate(request) {
      const { kind, operation, object } = request;
      if (kind.group !== '' || kind.kind !== 'Event' || !object) return;
      if (operation !== 'CREATE' && operation !== 'UPDATE') return;
      const refused = buckets.map((bucket) => bucket(request)).findLast((reason) => reason !== undefined);
      if (refused !== undefined) throw newTooManyRequests(refused);
    },
  };
}
