import { sleep, type Clock } from '../base/clock.ts';
import type { Container, LifecycleHandler } from '../api/core/v1.gen.ts';
import type { ContainerRuntime } from './container-runtime.ts';
import { containerPort } from './probes/container-port.ts';
import { httpProbe } from './probes/http-probe.ts';
import { runCommand } from './probes/run-command.ts';

/** A postStart or preStop hook that did not succeed. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

/** Runs a hook to its end; throws `HookError`, or the signal's reason when it aborts first. */
export async function runHook(
  handler: LifecycleHandler,
  target: {
    readonly runtime: ContainerRuntime;
    readonly clock: Clock;
    readonly container: Container;
    readonly containerId: string;
    readonly host: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const { exitCode, output } = await runCommand({ ...target, command });
    if (exitCode === 0) return;
    throw new HookError(
      `Exec lifecycle hook (${JSON.stringify(command)}) for Container "${target.container.name}" failed - error: command '${command.join(' ')}' exited with ${exitCode}: ${output}`,
    );
  }
  if (handler.httpGet) {
    const port = containerPort(target.container, handler.httpGet.port);
    if (port === undefined) throw new HookError(`couldn't find port: ${handler.httpGet.port}`);
    const { outcome, output } = await httpProbe(handler.httpGet, {
      host: handler.httpGet.host || target.host,
      port,
      timeoutMs: HTTP_TIMEOUT_MS,
      signal: target.signal,
    });
    if (outcome === 'failure') throw new HookError(output);
    return;
  }
  if (handler.sleep) await sleep(target.clock, handler.sleep.seconds * 1000, target.signal);
}

const HTTP_TIMEOUT_MS = 60_000;
