import { newConflict, newTimeout } from '../machinery/status/errors.ts';
import type { ApiRequest, Transport } from '../machinery/transport.ts';

/** What can go wrong with one request. */
export type Fault =
  /** A write is refused as if somebody else had been faster; nothing is written. */
  | 'conflict'
  /** The request times out and nothing has happened. */
  | 'timeout'
  /** The request is carried out, but its answer is lost. */
  | 'lost'
  /** The request is carried out, and the caller's process ends before it hears of it. */
  | 'crash';

export const faultKinds: readonly Fault[] = ['conflict', 'timeout', 'lost', 'crash'];

/** What happens to call number `index` (from 0) of those that count. */
export type FaultPlan = (index: number, request: ApiRequest) => Fault | undefined;

export const noFaults: FaultPlan = () => undefined;

/** One fault, at one call. */
export function faultAt(index: number, fault: Fault): FaultPlan {
  return (at) => (at === index ? fault : undefined);
}

/** Each of the first `calls` calls goes wrong with this probability; the same seed gives the same faults. */
export function randomFaults(seed: number, options: { probability: number; calls: number }): FaultPlan {
  const random = mulberry32(seed);
  return (index) => {
    const [hit, kind] = [random(), random()];
    if (index >= options.calls || hit >= options.probability) return undefined;
    return faultKinds[Math.floor(kind * faultKinds.length)];
  };
}

/** A generator of numbers in [0, 1) that a seed determines. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const reads: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** Whether a request changes something; events tell of changes and do not count. */
export function isWrite({ verb, resource }: ApiRequest): boolean {
  return !reads.has(verb) && resource !== 'events';
}

export interface FaultyTransportOptions {
  /** Decides over each call: every read, watch and write except of events. */
  faultOf(request: ApiRequest): Fault | undefined;
  /** Hears of writes that were carried out. */
  onWrite(request: ApiRequest): void;
  /** Hears of a `crash`: all later calls fail. */
  onCrash(): void;
}

/** A transport that fails as `faultOf` says, for tests. A read can only time out. */
export function faultyTransport(inner: Transport, options: FaultyTransportOptions): Transport {
  let crashed = false;

  async function request(call: ApiRequest): Promise<unknown> {
    alive();
    const fault = call.resource === 'events' ? undefined : options.faultOf(call);
    const write = isWrite(call);
    if (fault === 'timeout' || (fault !== undefined && !write)) throw newTimeout('injected');
    if (fault === 'conflict' && call.verb !== 'create') {
      const { group, resource, name = '' } = call;
      throw newConflict({ group, resource }, name);
    }
    const answer = await inner.request(call);
    if (write) options.onWrite(call);
    if (fault === 'lost') throw newTimeout('injected after the write');
    if (fault === 'crash') {
      crashed = true;
      options.onCrash();
    }
    alive();
    return answer;
  }

  function alive(): void {
    if (crashed) throw new Error('this process has crashed');
  }

  return {
    request,
    watch(call) {
      alive();
      if (options.faultOf(call)) throw newTimeout('injected');
      return inner.watch(call);
    },
    raw: (path, signal) => inner.raw(path, signal),
    close: () => Promise.resolve(),
  };
}
