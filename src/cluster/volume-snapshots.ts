import { customresourcedefinitions } from '../api/apiextensions/v1.gen.ts';
import { snapshotDefinitions } from '../api/snapshot/custom-resource-definitions.ts';
import { volumesnapshotclasses } from '../api/snapshot/v1.ts';
import { sleep, type Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { volumeSnapshotController } from '../controllers/volume-snapshot/controller.ts';
import { isStatus } from '../machinery/status-error.ts';
import { LOCAL_DRIVER } from '../node/local-storage/local-driver.ts';
import { startSnapshotter } from '../node/local-storage/snapshotter.ts';
import type { LocalStorageOptions } from '../node/local-storage/provisioner.ts';
import type { Controller } from '../reconcile/controller.ts';

const POLL_MS = 20;

/** Brings the snapshot API to a cluster that has none; definitions that are there stay as they are. */
export async function ensureSnapshotApi(client: Client, clock: Clock, signal: AbortSignal): Promise<void> {
  for (const definition of snapshotDefinitions()) {
    await ifMissing(client.for(customresourcedefinitions).create(definition));
    const name = definition.metadata.name ?? '';
    for (;;) {
      const { status } = await client.for(customresourcedefinitions).get({ name });
      if (status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True')) break;
      await sleep(clock, POLL_MS, signal);
    }
  }
  await ifMissing(
    client.for(volumesnapshotclasses).create({
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotClass',
      metadata: {
        name: 'standard',
        annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' },
      },
      driver: LOCAL_DRIVER,
      deletionPolicy: 'Delete',
    }),
  );
}

/** What serves the snapshot API: for all drivers, and for the machine's own volumes. */
export function snapshotControllers(options: LocalStorageOptions): readonly Controller[] {
  return [
    volumeSnapshotController,
    { name: 'local-snapshotter', aliases: [], start: (context) => startSnapshotter(context, options) },
  ];
}

async function ifMissing(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}
