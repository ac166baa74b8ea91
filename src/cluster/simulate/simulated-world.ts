import { generateKeyPairSync } from 'node:crypto';
import { builtinResources } from '../../api/catalog.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/create-client.ts';
import { allControllers } from '../../controllers/catalog.ts';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { defaultStages } from '../../node/simulated/kwok/default-stages.ts';
import type { Stage } from '../../node/simulated/kwok/stage.ts';
import { startSimulation } from '../../node/simulated/simulation.ts';
import { createEventRecorder } from '../../reconcile/create-event-recorder.ts';
import { createInformers } from '../../reconcile/create-informers.ts';
import { selectControllers } from '../../reconcile/select-controllers.ts';
import { startControllers } from '../../reconcile/start-controllers.ts';
import { createScheduler, defaultSchedulerOptions } from '../../scheduler/scheduler.ts';
import { createApiServer } from '../../server/api-server.ts';
import { createMemoryStore } from '../../storage/memory/memory-store.ts';
import { countingTransport } from './counting-transport.ts';
import { SteppedClock } from './stepped-clock.ts';

export interface WorldOptions {
  /** When the simulated time begins. */
  readonly startMs: number;
  readonly serviceCidr: string;
  readonly seed: string;
  readonly onProblem: (error: unknown) => void;
}

/** A control plane in this process, over objects that are nowhere else, in a time of its own. */
export interface SimulatedWorld {
  readonly client: Client;
  /** Lets controllers, scheduler and simulated nodes begin. */
  start(): Promise<void>;
  /** Lets time pass until nothing changes any more, at most `limitMs` of it. */
  settle(limitMs: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * What would disturb a question about capacity: controllers that make work by the time of day or by load that is not
 * simulated, those that remove what is finished, and those that only make certificates and accounts.
 */
const controllers =
  '*,-cronjob-controller,-horizontal-pod-autoscaler-controller,-ttl-after-finished-controller,-root-ca-certificate-publisher-controller,-certificatesigningrequest-approving-controller,-certificatesigningrequest-cleaner-controller';

/** Pods that run are to hold their place: those of Jobs do not end. */
const stages: readonly Stage[] = defaultStages.filter(({ metadata }) => metadata.name !== 'pod-complete');

/** Nothing of interest happens later than this after the last change: the scheduler's longest back-off is well below. */
const QUIET_MS = 45_000;
/** Turns of the event loop without a request after which everybody has heard of everything. */
const CALM_TURNS = 12;

/** Makes a world with the namespace `default` and the objects that every server has. */
export async function createWorld(options: WorldOptions): Promise<SimulatedWorld> {
  const clock = new SteppedClock(options.startMs);
  const store = createMemoryStore({ clock });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = await createApiServer({
    store,
    schema: kubernetesSchema(),
    clock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: options.serviceCidr }),
    tls: { cert: '', key: '', clientCa: '' },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    version: { gitVersion: 'v1.36.2' },
    // Accounts are not asked for, and the objects of a snapshot were admitted once already.
    admissionPlugins: { enable: [], disable: ['ServiceAccount', 'PodSecurity'] },
    onFault: options.onProblem,
  });
  const transport = countingTransport(
    server.transport({ name: 'simulation', groups: ['system:masters', 'system:authenticated'] }),
  );
  const client = createClient(transport);
  const informers = createInformers(client, { clock });
  const stopping = new AbortController();
  const running: { stop(): Promise<void> }[] = [];

  async function calm(): Promise<void> {
    let calmTurns = 0;
    let begun = -1;
    while (calmTurns < CALM_TURNS) {
      await new Promise((resolve) => setImmediate(resolve));
      if (transport.pending > 0 || transport.begun !== begun) calmTurns = 0;
      else calmTurns++;
      begun = transport.begun;
    }
  }

  async function settle(limitMs: number): Promise<void> {
    const limit = clock.monotonic() + limitMs;
    await calm();
    let changes = transport.changes;
    let changedAt = clock.monotonic();
    while (clock.step(Math.min(limit, changedAt + QUIET_MS))) {
      await calm();
      if (transport.changes === changes) continue;
      changes = transport.changes;
      changedAt = clock.monotonic();
    }
  }

  return {
    client,
    settle,
    async start() {
      const scheduler = createScheduler(() => ({
        ...defaultSchedulerOptions(),
        percentageOfNodesToScore: 100,
        seed: 1,
      }));
      running.push(
        startControllers(selectControllers(controllers, [...allControllers({ ca: '' }), scheduler]), {
          client,
          informers,
          clock,
        }),
      );
      const begun = startSimulation(
        {
          client,
          informers,
          clock,
          events: createEventRecorder(client, { clock, component: 'kwok' }),
          seed: options.seed,
          version: 'v1.36.2',
          kubeletPort: 0,
          firstStages: stages,
          onError: options.onProblem,
        },
        stopping.signal,
      );
      await settle(1000);
      running.push(await begun);
    },
    async close() {
      stopping.abort();
      const stopped = Promise.all(running.map((one) => one.stop()));
      await calm();
      clock.step(Infinity);
      await stopped;
      await informers.stop();
      await server.close();
      await store.close();
    },
  };
}
