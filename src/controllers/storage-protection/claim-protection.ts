import { persistentvolumeclaims, pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { startProtection } from './protect.ts';

/** Holds deleted claims until no pod that has a node uses them. */
export const claimProtectionController: Controller = {
  name: 'persistentvolumeclaim-protection-controller',
  aliases: ['pvc-protection'],
  start(context) {
    const podCache = context.informers.for(pods);
    podCache.addIndex('claim', claimsOf);
    return startProtection(context, {
      controller: claimProtectionController.name,
      type: persistentvolumeclaims,
      finalizer: 'kubernetes.io/pvc-protection',
      caches: [podCache],
      inUse: ({ metadata }) =>
        podCache
          .byIndex('claim', `${metadata.namespace ?? ''}/${metadata.name}`)
          .some(({ spec }) => spec.nodeName),
      watchUsers(reconciler) {
        const wake = (pod: Live<Pod>): void => {
          for (const claim of claimsOf(pod)) reconciler.add(claim);
        };
        podCache.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
      },
    });
  },
};

/** The claims of a pod, those of its ephemeral volumes included. */
export function claimsOf({ metadata, spec }: Live<Pod>): string[] {
  return (spec.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral && `${metadata.name}-${name}`);
    return claim === undefined ? [] : [`${metadata.namespace ?? ''}/${claim}`];
  });
}
