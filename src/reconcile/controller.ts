import type { Clock } from '../base/clock.ts';
import type { MetricRegistry } from '../base/metrics/registry.ts';
import type { WorkQueueObserver } from '../base/queue.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { InformerFactory } from './informer.ts';

/** How one reconciliation ended, when it did not throw. */
export type Outcome =
  /** The observed state is the desired one, or a watch will bring the next change. */
  | { readonly state: 'settled' }
  /** Look again after `ms` milliseconds whatever happens. */
  | { readonly state: 'recheck'; readonly ms: number }
  /** Retrying cannot help until somebody changes something. */
  | { readonly state: 'stalled'; readonly reason: string };

export const settled: Outcome = { state: 'settled' };
export const recheck = (ms: number): Outcome => ({ state: 'recheck', ms });
export const stalled = (reason: string): Outcome => ({ state: 'stalled', reason });

/** What every controller is given. */
export interface ControllerContext {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Makes what hears how a controller's queue fares. */
  observeQueue?(name: string): WorkQueueObserver;
  /** Where a controller puts metrics of its own. */
  readonly metrics?: MetricRegistry;
  /** Hears of work items that threw and will be retried. */
  onFailure?(failure: WorkFailure): void;
}

/** A reconciliation that threw. */
export interface WorkFailure {
  readonly controller: string;
  readonly key: string;
  readonly error: unknown;
  /** How often in a row. */
  readonly failures: number;
  readonly retryMs: number;
}

/** A started controller. `stop` resolves when no work item is running any more. */
export interface RunningController {
  stop(): Promise<void>;
}

/** One controller, as `catalog.ts` lists it. */
export interface Controller {
  /** kube-controller-manager's canonical name: `deployment-controller`. */
  readonly name: string;
  /** kube-controller-manager's older names: `deployment`. */
  readonly aliases: readonly string[];
  start(context: ControllerContext): RunningController;
}
