import type { Client } from '../../client/client.ts';
import { csidrivers, storageclasses } from '../../api/storage/v1.gen.ts';
import { isDefaultClass } from '../../api/storage/storage-classes.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ControllerContext, RunningController } from '../../reconcile/controller.ts';
import { startDeleter } from './deleter.ts';
import { startExpander } from './expander.ts';
import { LOCAL_DRIVER } from './local-driver.ts';
import { startProvisioner, type LocalStorageOptions } from './provisioner.ts';

/** Provides local volumes on this machine until it is stopped; the data stays, mounts and devices are given back. */
export function startLocalStorage(
  context: ControllerContext,
  options: LocalStorageOptions,
): RunningController {
  const parts = [startProvisioner, startDeleter, startExpander].map((start) => start(context, options));
  return {
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

/** Announces the driver, without which its volumes would wait for somebody to attach them; idempotent. */
export async function ensureLocalDriver(client: Client): Promise<void> {
  await ifMissing(
    client.for(csidrivers).create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: LOCAL_DRIVER },
      spec: { attachRequired: false, fsGroupPolicy: 'File', volumeLifecycleModes: ['Persistent'] },
    }),
  );
}

/** Makes the class `standard`, which claims that name none get unless there is such a class already; idempotent. */
export async function ensureStandardClass(client: Client): Promise<void> {
  const { items } = await client.for(storageclasses).list();
  const others = items.some(({ metadata }) => isDefaultClass(metadata.annotations));
  await ifMissing(
    client.for(storageclasses).create({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {
        name: 'standard',
        ...(!others && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
      },
      provisioner: LOCAL_DRIVER,
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    }),
  );
}

async function ifMissing(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}
