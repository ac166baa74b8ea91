import { persistentvolumeclaims, type PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import { isDefaultClass } from '../../api/storage/storage-classes.ts';
import { storageclasses } from '../../api/storage/v1.gen.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AdmissionPlugin } from './admission-chain.ts';
import { isCreationOf, newestClass } from './default-class.ts';
import type { Lookup } from './lookup.ts';

const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** A claim that names no storage class gets the default one (upstream's DefaultStorageClass). */
export function defaultStorageClass(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    admit(request) {
      if (!isCreationOf(persistentvolumeclaims, request)) return;
      const claim = request.object as DeepMutable<PersistentVolumeClaim>;
      if (claim.metadata.annotations?.[betaClass] !== undefined || claim.spec.storageClassName !== undefined)
        return;
      const chosen = newestClass(lookup.list(storageclasses), ({ metadata }) =>
        isDefaultClass(metadata.annotations),
      );
      if (chosen) claim.spec.storageClassName = chosen.metadata.name;
    },
  };
}
