import {
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../api/core/v1.gen.ts';
import { volumeattributesclasses } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { startProtection } from './protect.ts';

/** Holds deleted attribute classes as long as a claim or volume has or wants them. */
export const attributesClassProtectionController: Controller = {
  name: 'volumeattributesclass-protection-controller',
  aliases: [],
  start(context) {
    const claims = context.informers.for(persistentvolumeclaims);
    const volumes = context.informers.for(persistentvolumes);
    claims.addIndex('attributes-class', classesOfClaim);
    volumes.addIndex('attributes-class', classesOfVolume);
    return startProtection(context, {
      controller: attributesClassProtectionController.name,
      type: volumeattributesclasses,
      finalizer: 'kubernetes.io/vac-protection',
      caches: [claims, volumes],
      inUse: ({ metadata: { name } }) =>
        claims.byIndex('attributes-class', name).length > 0 ||
        volumes.byIndex('attributes-class', name).length > 0,
      watchUsers(reconciler) {
        const wakeAll = (names: readonly string[]): void => {
          for (const name of names) reconciler.add(name);
        };
        claims.addHandler({
          onUpdate: (next, previous) => wakeAll([...classesOfClaim(previous), ...classesOfClaim(next)]),
          onDelete: (claim) => wakeAll(classesOfClaim(claim)),
        });
        volumes.addHandler({
          onUpdate: (next, previous) => wakeAll([...classesOfVolume(previous), ...classesOfVolume(next)]),
          onDelete: (volume) => wakeAll(classesOfVolume(volume)),
        });
      },
    });
  },
};

function classesOfClaim({ spec, status }: Live<PersistentVolumeClaim>): string[] {
  const names = [
    spec.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.flatMap((name) => name || []))];
}

function classesOfVolume({ spec }: Live<PersistentVolume>): string[] {
  return spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : [];
}
