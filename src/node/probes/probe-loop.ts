import type { Clock, Timer } from '../../base/clock.ts';
import type { Probe } from '../../api/core/v1.gen.ts';
import type { ProbeResult } from './probe-result.ts';

export interface ProbeLoopOptions {
  readonly clock: Clock;
  readonly probe: Probe;
  /** Milliseconds since the epoch at which the container started. */
  readonly startedAt: number;
  run(): Promise<ProbeResult>;
  /** One attempt went wrong, whether or not the threshold is reached. */
  onFailedAttempt(result: ProbeResult): void;
  /** A threshold was reached with an outcome other than the last one told. */
  onOutcome(outcome: 'success' | 'failure', result: ProbeResult): void;
}

/** Runs a probe from its initial delay on, once a period, until it is closed; counts towards the thresholds. */
export function startProbeLoop(options: ProbeLoopOptions): { close(): void } {
  const { clock, probe } = options;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let timer: Timer | undefined;
  let closed = false;
  let told: ProbeResult['outcome'] | undefined;
  let last: ProbeResult['outcome'] | undefined;
  let inARow = 0;

  function judge(result: ProbeResult): void {
    inARow = result.outcome === last ? inARow + 1 : 1;
    last = result.outcome;
    if (result.outcome === 'failure') options.onFailedAttempt(result);
    const threshold =
      result.outcome === 'success' ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
    if (inARow < threshold || told === result.outcome) return;
    told = result.outcome;
    options.onOutcome(result.outcome, result);
  }

  async function attempt(): Promise<void> {
    const due = clock.monotonic() + periodMs;
    const result = await options.run();
    if (closed) return;
    judge(result);
    if (!closed) timer = clock.after(Math.max(0, due - clock.monotonic()), () => void attempt());
  }

  const firstAt = options.startedAt + (probe.initialDelaySeconds ?? 0) * 1000;
  timer = clock.after(Math.max(0, firstAt - clock.now()), () => void attempt());
  return {
    close: () => {
      closed = true;
      timer?.cancel();
    },
  };
}
