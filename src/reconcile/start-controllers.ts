import { setMaxListeners } from 'node:events';
import type { Clock } from '../base/clock.ts';
import type { MetricRegistry } from '../base/metrics/registry.ts';
import type { WorkQueueObserver } from '../base/queue.ts';
import type { Client } from '../client/client.ts';
import type { Controller, RunningController, WorkFailure } from './controller.ts';
import { createEventRecorder } from './create-event-recorder.ts';
import type { InformerFactory } from './informer.ts';

export interface StartControllersOptions {
  readonly client: Client;
  /** Shared by all; started here, stopped by whoever made it. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Makes what hears how a controller's queue fares. */
  observeQueue?(name: string): WorkQueueObserver;
  /** Where controllers put metrics of their own. */
  readonly metrics?: MetricRegistry;
  onFailure?(failure: WorkFailure): void;
}

/** Starts controllers side by side. `stop` ends all of them and resolves when none works any more. */
export function startControllers(
  controllers: readonly Controller[],
  options: StartControllersOptions,
): RunningController {
  const { client, informers, clock } = options;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const recorder = createEventRecorder(client, { clock, component: 'kube-controller-manager' });
  const running = controllers.map((controller) =>
    controller.start({
      client,
      informers,
      clock,
      events: recorder.as(controller.name),
      signal: stopping.signal,
      ...(options.observeQueue && { observeQueue: options.observeQueue }),
      ...(options.metrics && { metrics: options.metrics }),
      onFailure: (failure) => options.onFailure?.(failure),
    }),
  );
  informers.start();
  return {
    async stop() {
      stopping.abort();
      await Promise.all(running.map((controller) => controller.stop()));
    },
  };
}
