import type { WorkQueueObserver } from '../base/queue.ts';
import type { AnyResource } from '../api/resource.ts';
import { systemClock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/create-client.ts';
import type { ApiRequest } from '../machinery/transport.ts';
import type { Controller } from './controller.ts';
import { createInformers } from './create-informers.ts';
import { faultAt, faultKinds, faultyTransport, noFaults, type FaultPlan } from './faulty-transport.ts';
import { startControllers } from './start-controllers.ts';
import { startTestServer } from './test-server.ts';

/** Where one run of a scenario takes place: a client without faults, and a namespace of its own. */
export interface Place {
  readonly client: Client;
  readonly namespace: string;
}

/** What controllers are given and what must come of it. */
export interface Convergence {
  /** Makes the state to start from, while the controllers under test are down. */
  arrange(place: Place): Promise<void>;
  /**
   * Resolves once the state is as specified and throws when it does not become so; it may also change what is wanted
   * in between. Called once more when nothing is written any longer.
   */
  settle(place: Place): Promise<void>;
}

export interface FaultBenchOptions {
  /** The controllers under test: their calls fail, and they are restarted. */
  readonly controllers: readonly Controller[];
  /** The rest of the cluster, which has no faults: nodes, the service account and garbage collection controllers … */
  readonly bystanders: readonly Controller[];
  /** Served beside the usual resources. */
  readonly resources?: readonly AnyResource[];
}

/** Plays scenarios under faults; see {@link startFaultBench}. */
export interface FaultBench {
  /** Runs a scenario in a new namespace; resolves to the number of calls that the controllers made until it settled. */
  play(scenario: Convergence, faults?: FaultPlan): Promise<number>;
  /** Runs a scenario without faults, and then with one fault at each call in turn, of all kinds; resolves to the runs. */
  playAll(scenario: Convergence): Promise<number>;
  /** Runs a scenario with two processes at once, as when leader election has failed; resolves to the calls of both. */
  fight(scenario: Convergence): Promise<number>;
  stop(): Promise<void>;
}

/** How often controllers that have settled may still find something to write after a restart. */
const patience = 5;

/**
 * Starts a server on which controllers can be tried under faults, for property tests:
 *
 *     const bench = await startFaultBench({ controllers: [replicaSetController], bystanders: [fakeNode, …] });
 *     await bench.playAll(scenario);
 *     await bench.play(scenario, randomFaults(seed, { probability: 0.2, calls: 50 }));
 *     await bench.fight(scenario);
 *
 * A run arranges a state, starts the controllers on it with the faults planned, waits until the state is as specified,
 * and then restarts them without faults until they write nothing: it rejects when they never stop writing, or when what
 * they settle on is not what is specified.
 */
export async function startFaultBench(options: FaultBenchOptions): Promise<FaultBench> {
  const { bystanders, resources = [] } = options;
  const server = await startTestServer(bystanders, { resources });
  let runs = 0;
  return { play, playAll, fight, stop: () => server.stop() };

  async function playAll(scenario: Convergence): Promise<number> {
    const calls = await play(scenario);
    for (let at = 0; at < calls; at++)
      await play(scenario, faultAt(at, faultKinds[at % faultKinds.length] ?? 'lost'));
    return calls + 1;
  }

  async function fight(scenario: Convergence): Promise<number> {
    const place = await newPlace(scenario);
    let calls = 0;
    const harmless = { faultOf: () => void calls++, onCrash: () => {} };
    const fighters = [0, 1].map(() => startProcess(options.controllers, server.client, harmless));
    try {
      await scenario.settle(place);
    } finally {
      await Promise.all(fighters.map((process) => process.stop()));
    }
    await expectQuiet(place, scenario);
    return calls;
  }

  async function newPlace(scenario: Convergence): Promise<Place> {
    const namespace = `run-${runs++}`;
    const place: Place = { client: server.client, namespace };
    await server.client.transport.request({
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'namespaces',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace }, spec: {} },
    });
    await scenario.arrange(place);
    return place;
  }

  async function play(scenario: Convergence, faults: FaultPlan = noFaults): Promise<number> {
    const place = await newPlace(scenario);
    let calls = 0;
    const count = (request: ApiRequest): ReturnType<FaultPlan> => faults(calls++, request);
    let process = startProcess(options.controllers, server.client, { faultOf: count, onCrash: restart });
    let restarting = Promise.resolve();
    function restart(): void {
      const crashed = process;
      process = startProcess(options.controllers, server.client, { faultOf: count, onCrash: restart });
      restarting = restarting.then(() => crashed.stop());
    }
    try {
      await scenario.settle(place);
    } finally {
      await restarting;
      await process.stop();
    }
    await expectQuiet(place, scenario);
    return calls;
  }

  async function expectQuiet(place: Place, scenario: Convergence): Promise<void> {
    let writes: readonly string[] = [];
    for (let tries = 0; tries < patience; tries++) {
      const process = startProcess(options.controllers, server.client, {
        faultOf: () => undefined,
        onCrash: () => {},
      });
      await process.quiet();
      writes = process.writes;
      await process.stop();
      if (writes.length === 0) return await scenario.settle(place);
    }
    throw new Error(`controllers do not stop writing: ${writes.join(', ')}`);
  }
}

interface Process {
  /** What was written so far. */
  readonly writes: readonly string[];
  /** Resolves when all caches are filled and no controller has had anything to do for a while. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

interface ProcessOptions {
  faultOf: (request: ApiRequest) => ReturnType<FaultPlan>;
  onCrash: () => void;
}

/** Controllers with caches of their own, as after a restart. */
function startProcess(
  controllers: readonly Controller[],
  { transport }: Client,
  { faultOf, onCrash }: ProcessOptions,
): Process {
  const clock = systemClock;
  const writes: string[] = [];
  let busy = 0;
  const client = createClient(
    faultyTransport(transport, {
      faultOf,
      onCrash,
      onWrite: ({ verb, resource, subresource = '', name = '', namespace = '' }) =>
        writes.push(`${verb} ${resource}/${subresource} ${namespace}/${name}`),
    }),
  );
  const observer: WorkQueueObserver = {
    added: () => busy++,
    started: () => () => busy--,
    retried: () => {},
    dropped: (count) => (busy -= count),
  };
  const informers = createInformers(client, { clock, freeze: true });
  const running = startControllers(controllers, { client, informers, clock, observeQueue: () => observer });
  return {
    writes,
    async quiet() {
      await informers.synced();
      for (let turns = 0; turns < 100; turns++) {
        const before = writes.length;
        await new Promise((resolve) => setImmediate(resolve));
        if (busy > 0 || writes.length > before) turns = 0;
      }
    },
    async stop() {
      await running.stop();
      await informers.stop();
    },
  };
}
