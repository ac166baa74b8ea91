import type { NodeAgentOptions } from '../node/agent.ts';
import { MACHINE_LABEL } from '../node/local-storage/local-driver.ts';
import { createLocalVolumes } from '../node/local-storage/local-volumes.ts';
import {
  ensureLocalDriver,
  ensureStandardClass,
  startLocalStorage,
} from '../node/local-storage/start-local-storage.ts';
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
  if (plan.nodes.length === 0)
    return { forNode: {}, ready: Promise.resolve(), stop: () => Promise.resolve() };
  const { clock, report } = options;
  const { client, informers } = controlPlane;
  const machine = plan.name;
  const volumes = createLocalVolumes(plan.dataDirectory);
  const announced = ensureLocalDriver(client).then(() =>
    options.defaultStorageClass === false ? undefined : ensureStandardClass(client),
  );
  announced.catch(() => undefined);
  const running = startControllers(
    [
      {
        name: 'local-storage',
        aliases: [],
        start: (context) => startLocalStorage(context, { volumes, machine, directory: plan.dataDirectory }),
      },
    ],
    {
      client,
      informers,
      clock,
      onFailure: ({ key, error, failures }) => {
        if (failures === 5)
          report.warn(`local storage: ${key}: ${error instanceof Error ? error.message : String(error)}`);
      },
    },
  );
  return {
    forNode: { labels: { [MACHINE_LABEL]: machine }, localVolumes: volumes },
    ready: announced,
    async stop() {
      await announced.catch(() => undefined);
      await running.stop();
      await volumes.close();
    },
  };
}
