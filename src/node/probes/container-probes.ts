import type { Clock } from '../../base/clock.ts';
import type { Container, Pod, Probe } from '../../api/core/v1.gen.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';
import type { ContainerRuntime } from '../container-runtime.ts';
import { startProbeLoop } from './probe-loop.ts';
import type { ProbeResult } from './probe-result.ts';
import { runProbe } from './run-probe.ts';

export interface ContainerProbesOptions {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly startedAt: number;
  readonly host: string;
  readonly runtime: ContainerRuntime;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** What the API knew of this very container when the agent started anew. */
  readonly known?: { readonly started: boolean; readonly ready: boolean };
  /** One attempt of a probe (`Liveness`, `Readiness`, `Startup`) ended. */
  onAttempt(probe: string, outcome: ProbeResult['outcome']): void;
  onChange(): void;
  /** The startup or liveness probe has given the container up. */
  onUnhealthy(kind: 'startup' | 'liveness', probe: Probe): void;
}

/** The probes of one running container. */
export interface ContainerProbes {
  readonly started: boolean;
  readonly ready: boolean;
  /** Ends startup and liveness probes; readiness goes on while the container terminates. */
  stopKilling(): void;
  close(): void;
}

/** Runs the startup probe first, then liveness and readiness beside each other. */
export function startContainerProbes(options: ContainerProbesOptions): ContainerProbes {
  const { container, containerId, clock, events, host, pod, runtime } = options;
  const stopping = new AbortController();
  const killing: { close(): void }[] = [];
  const others: { close(): void }[] = [];
  let started = container.startupProbe === undefined || options.known?.started === true;
  let ready = container.readinessProbe === undefined || options.known?.ready === true;

  function loop(
    kind: 'startup' | 'liveness' | 'readiness',
    probe: Probe,
    onOutcome: (ok: boolean) => void,
  ): { close(): void } {
    const label = `${kind[0]?.toUpperCase()}${kind.slice(1)}`;
    return startProbeLoop({
      clock,
      probe,
      startedAt: options.startedAt,
      run: async () => {
        const target = { runtime, containerId, container, host, signal: stopping.signal };
        const result = await runProbe(probe, target);
        options.onAttempt(label, result.outcome);
        return result;
      },
      onFailedAttempt: ({ output }) =>
        events.record(pod, 'Warning', 'Unhealthy', `${label} probe failed: ${output}`),
      onOutcome: (outcome) => onOutcome(outcome === 'success'),
    });
  }

  function beginAfterStartup(): void {
    const { livenessProbe, readinessProbe } = container;
    if (livenessProbe) {
      killing.push(
        loop('liveness', livenessProbe, (ok) => ok || options.onUnhealthy('liveness', livenessProbe)),
      );
    }
    if (readinessProbe) {
      const watching = loop('readiness', readinessProbe, (ok) => {
        ready = ok;
        options.onChange();
      });
      others.push(watching);
    }
  }

  const { startupProbe } = container;
  if (!started && startupProbe) {
    const startup = loop('startup', startupProbe, (ok) => {
      if (!ok) {
        options.onUnhealthy('startup', startupProbe);
        return;
      }
      startup.close();
      started = true;
      beginAfterStartup();
      options.onChange();
    });
    killing.push(startup);
  } else beginAfterStartup();

  const stopKilling = (): void => {
    for (const one of killing.splice(0)) one.close();
  };
  return {
    get started() {
      return started;
    },
    get ready() {
      return started && ready;
    },
    stopKilling,
    close: () => {
      stopKilling();
      for (const one of others.splice(0)) one.close();
      stopping.abort();
    },
  };
}
