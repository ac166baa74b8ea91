import { persistentvolumeclaims } from '../api/core/v1.gen.ts';
import type { NodeAgentOptions } from '../node/agent.ts';
import { MACHINE_LABEL } from '../node/local-storage/local-driver.ts';
import { createLocalVolumes } from '../node/local-storage/local-volumes.ts';
import type { LocalStorageOptions } from '../node/local-storage/provisioner.ts';
import {
  ensureLocalDriver,
  ensureStandardClass,
  startLocalStorage,
} from '../node/local-storage/start-local-storage.ts';
import type { Controller, RunningController } from '../reconcile/controller.ts';
import { startControllers } from '../reconcile/start-controllers.ts';
import type { ControlPlane } from './control-plane.ts';
import type { ClusterPlan } from './plan-cluster.ts';
import type { StartOptions } from './start-cluster.ts';

/** What keeps the volumes of a machine. */
export interface MachineStorage {
  /** What each node of the machine is told of it. */
  readonly forNode: Pick<NodeAgentOptions, 'labels' | 'localVolumes'>;
  /** Resolves when claims can be served. */
  readonly ready: Promise<void>;
  /** Begins what can wait until the nodes are ready: snapshots, if it is their time. */
  startRest(): void;
  stop(): Promise<void>;
}

/** Serves claims from the data directory of a cluster whose nodes are on this machine; without nodes it does nothing. */
export function startMachineStorage({
  plan,
  options,
  controlPlane,
}: {
  readonly plan: ClusterPlan;
  readonly options: StartOptions;
  readonly controlPlane: ControlPlane;
}): MachineStorage {
  if (options.nodes === 0)
    return {
      forNode: {},
      ready: Promise.resolve(),
      startRest: () => undefined,
      stop: () => Promise.resolve(),
    };
  const { clock, report } = options;
  const { client, informers } = controlPlane;
  const machine = plan.name;
  const volumes = createLocalVolumes(plan.dataDirectory);
  const storage: LocalStorageOptions = { volumes, machine, directory: plan.dataDirectory };
  const stopping = new AbortController();
  const running: RunningController[] = [];
  let rest: Promise<void> | undefined;
  const announced = ensureLocalDriver(client).then(() =>
    options.defaultStorageClass === false ? undefined : ensureStandardClass(client),
  );
  announced.catch(() => undefined);
  run([{ name: 'local-storage', aliases: [], start: (context) => startLocalStorage(context, storage) }]);

  function run(controllers: readonly Controller[]): void {
    running.push(
      startControllers(controllers, {
        client,
        informers,
        clock,
        onFailure: ({ key, error, failures }) => {
          if (failures === 5) report.warn(`local storage: ${key}: ${textOf(error)}`);
        },
      }),
    );
  }

  /** The API of snapshots takes memory, which clusters without claims can save. */
  function beginSnapshots(): void {
    rest ??= startSnapshots().catch((error: unknown) => {
      if (!stopping.signal.aborted) report.warn(`volume snapshots: ${textOf(error)}`);
    });
  }

  async function startSnapshots(): Promise<void> {
    const { ensureSnapshotApi, snapshotControllers } = await import('./volume-snapshots.ts');
    await ensureSnapshotApi(client, clock, stopping.signal);
    if (!stopping.signal.aborted) run(snapshotControllers(storage));
  }

  return {
    forNode: { labels: { [MACHINE_LABEL]: machine }, localVolumes: volumes },
    ready: announced,
    startRest() {
      const { volumeSnapshots = 'claim' } = options;
      if (volumeSnapshots === 'never') return;
      if (volumeSnapshots === 'start') beginSnapshots();
      else informers.for(persistentvolumeclaims).addHandler({ onAdd: beginSnapshots });
    },
    async stop() {
      stopping.abort();
      await announced.catch(() => undefined);
      await rest;
      await Promise.all(running.map((one) => one.stop()));
      await volumes.close();
    },
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
