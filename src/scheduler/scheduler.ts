import type { Controller, ControllerContext, RunningController } from '../reconcile/controller.ts';
import { defaultProfilePlan, type ProfilePlan } from './build-profile.ts';
import type { ExtenderSettings } from './extenders/extender-settings.ts';
import { SchedulerRun } from './scheduler-run.ts';

/** How a scheduler works; upstream's defaults fill what is left out. */
export interface SchedulerOptions {
  readonly profiles: readonly ProfilePlan[];
  /** 0 to 100; 0 is adaptive. */
  readonly percentageOfNodesToScore: number;
  readonly podInitialBackoffMs: number;
  readonly podMaxBackoffMs: number;
  /** Webhooks that are asked beside the plug-ins of every profile. */
  readonly extenders?: readonly ExtenderSettings[];
  /** Makes choices among equally good nodes repeat themselves. */
  readonly seed?: number;
}

/** Upstream's defaults: one profile, `default-scheduler`. */
export function defaultSchedulerOptions(): SchedulerOptions {
  return {
    profiles: [defaultProfilePlan()],
    percentageOfNodesToScore: 0,
    podInitialBackoffMs: 1000,
    podMaxBackoffMs: 10_000,
  };
}

/** A scheduler that works as `options` say. */
export function createScheduler(options: () => SchedulerOptions): Controller {
  return {
    name: 'scheduler',
    aliases: ['kube-scheduler'],
    start(context: ControllerContext): RunningController {
      const run = new SchedulerRun(context, options());
      return { stop: () => run.stop() };
    },
  };
}

/** Gives every pod that waits for one a node. */
export const scheduler: Controller = createScheduler(defaultSchedulerOptions);
