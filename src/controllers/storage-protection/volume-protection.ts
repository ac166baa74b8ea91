import { persistentvolumes } from '../../api/core/v1.gen.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { startProtection } from './protect.ts';

/** Holds deleted volumes as long as they are bound. */
export const volumeProtectionController: Controller = {
  name: 'persistentvolume-protection-controller',
  aliases: ['pv-protection'],
  start: (context) =>
    startProtection(context, {
      controller: volumeProtectionController.name,
      type: persistentvolumes,
      finalizer: 'kubernetes.io/pv-protection',
      caches: [],
      inUse: ({ status }) => status?.phase === 'Bound',
    }),
};
