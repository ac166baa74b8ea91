import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { discover } from '../client/discovery.ts';
import type { Controller } from '../reconcile/controller.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import { createInformers } from '../reconcile/create-informers.ts';
import { lead } from '../reconcile/leader-election.ts';
import { startControllers } from '../reconcile/start-controllers.ts';
import { servedInformers } from './served-informers.ts';

/** Which Lease decides who works; durations in milliseconds, upstream's when absent. */
export interface LeaderElection {
  readonly namespace: string;
  readonly name: string;
  /** Who tells, by an event about the Lease, that this one leads. */
  readonly component: string;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
}

export interface RunComponentOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Stops the component; the lease is given back. */
  readonly signal: AbortSignal;
  /** Without it, work starts at once and nobody else is looked for. */
  readonly leaderElection?: LeaderElection;
  /** One line about what happens. */
  say(line: string): void;
}

/**
 * Runs controllers, or the scheduler, against a cluster elsewhere until told to stop. Resolves to `lost` when another
 * took the lead: whoever started it should start it again.
 */
export async function runComponent(
  controllers: readonly Controller[],
  options: RunComponentOptions,
): Promise<'stopped' | 'lost'> {
  const { leaderElection, client, clock, signal, say } = options;
  if (!leaderElection) {
    await work(controllers, options, signal);
    return 'stopped';
  }
  const identity = `${hostname()}_${randomUUID()}`;
  const events = createEventRecorder(client, { clock, component: leaderElection.component });
  return lead(
    {
      ...leaderElection,
      client,
      clock,
      signal,
      identity,
      random: Math.random,
      onLeader: (leader, lease) => {
        say(leader === identity ? 'this one leads' : `${leader} leads; waiting`);
        if (leader === identity)
          events.record(lease, 'Normal', 'LeaderElection', `${identity} became leader`);
      },
      onError: (error) => say(`leader election: ${textOf(error)}`),
    },
    (leading) => work(controllers, options, leading),
  );
}

async function work(
  controllers: readonly Controller[],
  { client, clock, say }: RunComponentOptions,
  signal: AbortSignal,
): Promise<void> {
  setMaxListeners(0, signal);
  const served = await discover(client.transport, signal);
  const all = createInformers(client, {
    clock,
    onError: ({ resource }, error) => {
      if (!signal.aborted) say(`watch of ${resource}: ${textOf(error)}`);
    },
  });
  const informers = servedInformers(all, served);
  const running = startControllers(controllers, {
    client,
    informers,
    clock,
    onFailure: ({ controller, key, error, failures }) => {
      if (failures === 5) say(`${controller}: ${key}: ${textOf(error)}`);
    },
  });
  say(`running ${controllers.map(({ name }) => name).join(', ')}`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await running.stop();
  await all.stop();
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
