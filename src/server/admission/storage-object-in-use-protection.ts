import { persistentvolumeclaims, persistentvolumes } from '../../api/core/v1.gen.ts';
import { volumeattributesclasses } from '../../api/storage/v1.gen.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { isCreationOf } from './default-class.ts';

/** Volumes, claims and attribute classes get a finalizer that holds them while they are in use (upstream's StorageObjectInUseProtection). */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(request) {
    const finalizer = isCreationOf(persistentvolumeclaims, request)
      ? 'kubernetes.io/pvc-protection'
      : isCreationOf(persistentvolumes, request)
        ? 'kubernetes.io/pv-protection'
        : isCreationOf(volumeattributesclasses, request)
          ? 'kubernetes.io/vac-protection'
          : undefined;
    const metadata = request.object?.metadata;
    if (finalizer === undefined || !metadata || metadata.finalizers?.includes(finalizer)) return;
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
  },
};
