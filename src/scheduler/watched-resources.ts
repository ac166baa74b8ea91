import { persistentvolumeclaims, persistentvolumes } from '../api/core/v1.gen.ts';
import { deviceclasses, resourceclaims, resourceslices } from '../api/resource/v1.gen.ts';
import {
  csidrivers,
  csinodes,
  csistoragecapacities,
  storageclasses,
  volumeattachments,
} from '../api/storage/v1.gen.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { Informer, InformerFactory } from '../reconcile/informer.ts';
import type { ClusterEvent, EventRegistration, EventResource } from './cluster-event.ts';

type Source = (informers: InformerFactory) => Informer<KubeObject>;

const sources: ReadonlyMap<EventResource, Source> = new Map<EventResource, Source>([
  ['PersistentVolume', (informers) => informers.for(persistentvolumes)],
  ['PersistentVolumeClaim', (informers) => informers.for(persistentvolumeclaims)],
  ['StorageClass', (informers) => informers.for(storageclasses)],
  ['CSINode', (informers) => informers.for(csinodes)],
  ['CSIDriver', (informers) => informers.for(csidrivers)],
  ['CSIStorageCapacity', (informers) => informers.for(csistoragecapacities)],
  ['VolumeAttachment', (informers) => informers.for(volumeattachments)],
  ['ResourceClaim', (informers) => informers.for(resourceclaims)],
  ['ResourceSlice', (informers) => informers.for(resourceslices)],
  ['DeviceClass', (informers) => informers.for(deviceclasses)],
]);

/** Watches the kinds that plug-ins registered events of, beside nodes, pods and namespaces. */
export function watchRegistered(
  registrations: Iterable<EventRegistration>,
  informers: InformerFactory,
  notify: (event: ClusterEvent) => void,
): void {
  const wanted = new Set([...registrations].map(({ resource }) => resource));
  for (const resource of wanted) {
    sources
      .get(resource)?.(informers)
      .addHandler({
        onAdd: (next) => notify({ resource, action: 'Add', next }),
        onUpdate: (next, previous) => notify({ resource, action: 'Update', previous, next }),
        onDelete: (previous) => notify({ resource, action: 'Delete', previous }),
      });
  }
}
