import { persistentvolumeclaims, type PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import { compareQuantities } from '../../api/core/pod-spec/quantities.ts';
import { storageclasses } from '../../api/storage/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { isOf } from './default-class.ts';
import type { Lookup } from './lookup.ts';
import { newRefusal } from './refuse.ts';

const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** Only bound claims of classes that allow it grow (upstream's PersistentVolumeClaimResize). */
export function persistentVolumeClaimResize(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(request) {
      if (request.operation !== 'UPDATE' || !isOf(persistentvolumeclaims, request)) return;
      const next = request.object as KubeObject as PersistentVolumeClaim;
      const old = request.oldObject as PersistentVolumeClaim;
      if (compareQuantities(sizeOf(next), sizeOf(old)) <= 0) return;
      if (old.status?.phase !== 'Bound') {
        throw newRefusal(request, 'Only bound persistent volume claims can be expanded');
      }
      const name = classOf(next);
      const allowed =
        name !== '' &&
        name === classOf(old) &&
        lookup.get(storageclasses, '', name)?.allowVolumeExpansion === true;
      if (allowed) return;
      throw newRefusal(
        request,
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      );
    },
  };
}

function sizeOf({ spec }: PersistentVolumeClaim): string {
  return spec.resources?.requests?.['storage'] ?? '0';
}

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[betaClass] ?? spec.storageClassName ?? '';
}
