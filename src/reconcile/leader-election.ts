import { leases, type Lease, type LeaseSpec } from '../api/coordination/v1.gen.ts';
import { microTimestamp, type Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Ends the candidacy; a leader stops its work and then gives the lease back. */
  readonly signal: AbortSignal;
  readonly namespace: string;
  readonly name: string;
  /** Different for every candidate. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long a leader goes on without a successful renewal. Less than the lease's duration. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** How often leaders renew and others look. Default 2 s. */
  readonly retryPeriodMs?: number;
  /** From 0 up to 1: makes candidates look at different times. */
  random?(): number;
  /** Hears who leads, also of itself, and by which Lease. */
  onLeader?(identity: string, lease: Live<Lease>): void;
  /** Hears of calls that failed. */
  onError?(error: unknown): void;
}

/** How leading ended. */
export type LeadershipEnd = 'stopped' | 'lost';

/**
 * Waits to become the leader by holding a Lease (client-go's leader election), then runs `work` until it is not leader
 * any more or `signal` aborts; either way the signal given to `work` aborts first and `work` is waited for. Clocks of
 * candidates need not agree, only run at about the same speed: a lease is taken over only after it has not changed for
 * its whole duration by the candidate's own clock.
 */
export async function lead(
  options: LeaderElectionOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<LeadershipEnd> {
  const { clock, signal, retryPeriodMs = 2000, renewDeadlineMs = 10_000, random = () => 0 } = options;
  const candidate = new Candidate(options);
  for (;;) {
    if (signal.aborted) return 'stopped';
    if (await candidate.attempt(renewDeadlineMs)) break;
    await pause(clock, retryPeriodMs * (1 + 1.2 * random()), signal);
  }
  const leading = new AbortController();
  const working = work(leading.signal);
  const ended = working.then(
    () => true,
    () => true,
  );
  const over = new AbortController();
  void ended.then(() => over.abort());
  const end = await renew(candidate, options, AbortSignal.any([signal, over.signal]));
  leading.abort();
  await ended;
  if (end === 'stopped') await candidate.release(renewDeadlineMs);
  await working;
  return end;
}

/** Renews until told to stop, or until the deadline has passed since the last success. */
async function renew(
  candidate: Candidate,
  { clock, retryPeriodMs = 2000, renewDeadlineMs = 10_000 }: LeaderElectionOptions,
  signal: AbortSignal,
): Promise<LeadershipEnd> {
  let renewedAt = clock.monotonic();
  for (;;) {
    const left = renewedAt + renewDeadlineMs - clock.monotonic();
    await pause(clock, Math.min(retryPeriodMs, left), signal);
    if (signal.aborted) return 'stopped';
    const startedAt = clock.monotonic();
    const remaining = renewedAt + renewDeadlineMs - startedAt;
    if (remaining > 0 && (await candidate.attempt(remaining))) renewedAt = startedAt;
    else if (clock.monotonic() - renewedAt >= renewDeadlineMs) return 'lost';
  }
}

/** One participant: what it last saw of the lease, and when. */
class Candidate {
  readonly #options: LeaderElectionOptions;
  #observed: Live<Lease> | undefined;
  #observedAt = 0;
  #leader: string | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
  }

  /** Whether this one is the leader after at most `limitMs`: takes the lease if it is free, renews it if it is its own. */
  async attempt(limitMs: number): Promise<boolean> {
    const limit = new AbortController();
    const timer = this.#options.clock.after(limitMs, () => limit.abort());
    const late = new Promise<false>((resolve) =>
      limit.signal.addEventListener('abort', () => resolve(false), { once: true }),
    );
    try {
      return await Promise.race([this.#acquireOrRenew(limit.signal), late]);
    } catch (error) {
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'AlreadyExists')) this.#options.onError?.(error);
      this.#observedVersionIsOld();
      return false;
    } finally {
      timer.cancel();
    }
  }

  /** Gives the lease back so that another can take it at once. */
  async release(limitMs: number): Promise<void> {
    const { client, identity, clock } = this.#options;
    if (this.#observed?.spec?.holderIdentity !== identity) return;
    const limit = new AbortController();
    const timer = clock.after(limitMs, () => limit.abort());
    const now = microTimestamp(clock.now());
    try {
      await client.for(leases).update(
        {
          ...this.#observed,
          spec: {
            holderIdentity: '',
            leaseDurationSeconds: 1,
            acquireTime: now,
            renewTime: now,
            leaseTransitions: this.#observed.spec.leaseTransitions ?? 0,
          },
        },
        { signal: limit.signal },
      );
    } catch (error) {
      this.#options.onError?.(error);
    } finally {
      timer.cancel();
    }
  }

  async #acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const resource = client.for(leases);
    if (!this.#isOwn() || !this.#isValid()) {
      try {
        this.#observe(await resource.get({ namespace, name }, { signal }));
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
        const spec = this.#spec(undefined);
        const lease: Lease = {
          apiVersion: 'coordination.k8s.io/v1',
          kind: 'Lease',
          metadata: { namespace, name },
          spec,
        };
        this.#observe(await resource.create(lease, { signal }));
        return true;
      }
    }
    const held = this.#observed;
    if (!held) return false;
    if (held.spec?.holderIdentity && !this.#isOwn() && this.#isValid()) return false;
    const renewed = await resource.update({ ...held, spec: this.#spec(held.spec) }, { signal });
    this.#observe(renewed);
    return renewed.spec?.holderIdentity === identity;
  }

  #spec(held: LeaseSpec | undefined): LeaseSpec {
    const { identity, clock, leaseDurationMs = 15_000 } = this.#options;
    const now = microTimestamp(clock.now());
    const own = held?.holderIdentity === identity;
    const transitions = held?.leaseTransitions ?? 0;
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: own ? (held.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: held && !own ? transitions + 1 : transitions,
    };
  }

  #observe(lease: Live<Lease>): void {
    const { clock, onLeader } = this.#options;
    if (this.#observed?.metadata.resourceVersion !== lease.metadata.resourceVersion)
      this.#observedAt = clock.monotonic();
    this.#observed = lease;
    const leader = lease.spec?.holderIdentity ?? '';
    if (leader !== this.#leader && leader !== '') onLeader?.(leader, lease);
    this.#leader = leader;
  }

  /** After a conflict or a failure the server is asked again; what was seen when stays. */
  #observedVersionIsOld(): void {
    if (this.#isOwn()) this.#observedAt = Number.NEGATIVE_INFINITY;
  }

  #isOwn(): boolean {
    return this.#observed?.spec?.holderIdentity === this.#options.identity;
  }

  #isValid(): boolean {
    const { clock, leaseDurationMs = 15_000 } = this.#options;
    const stated = this.#observed?.spec?.leaseDurationSeconds;
    const duration = stated === undefined ? leaseDurationMs : stated * 1000;
    return this.#observedAt + duration > clock.monotonic();
  }
}

/** Resolves after `ms` milliseconds or when the signal aborts. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
