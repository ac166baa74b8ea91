import type { ComponentHealth } from '../api/core/component-statuses.ts';
import type { Controller } from '../reconcile/controller.ts';

/** The parts of a control plane that run in this process, by the names that upstream gives them. */
export function componentsOf(running: readonly Controller[], scheduler: Controller): ComponentHealth[] {
  return [
    ...(running.includes(scheduler) ? [{ name: 'scheduler' }] : []),
    ...(running.some((controller) => controller !== scheduler) ? [{ name: 'controller-manager' }] : []),
    { name: 'etcd-0' },
  ];
}
