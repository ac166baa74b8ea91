import type { Clock, Timer } from '../base/clock.ts';
import type { WaitingPod } from './framework.ts';
import type { PodInfo } from './pod-info.ts';
import type { PluginStatus } from './profile.ts';
import { unschedulable } from './status.ts';

/** Pods that Permit plug-ins hold back. */
export class WaitingPods {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, WaitingPod>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(uid: string): WaitingPod | undefined {
    return this.#waiting.get(uid);
  }

  values(): Iterable<WaitingPod> {
    return this.#waiting.values();
  }

  /** Waits until all plug-ins let the pod go; resolves with the first that rejects it or whose time is up. */
  wait(
    info: PodInfo,
    nodeName: string,
    plugins: ReadonlyMap<string, number>,
  ): Promise<PluginStatus | undefined> {
    return new Promise((resolve) => {
      const timers = new Map<string, Timer>();
      const end = (result: PluginStatus | undefined): void => {
        for (const timer of timers.values()) timer.cancel();
        this.#waiting.delete(info.uid);
        resolve(result);
      };
      const reject = (plugin: string, message: string): void =>
        end({ plugin, status: unschedulable(message) });
      for (const [plugin, ms] of plugins) {
        const message = `rejected due to timeout after waiting ${ms}ms at plugin ${plugin}`;
        timers.set(
          plugin,
          this.#clock.after(ms, () => reject(plugin, message)),
        );
      }
      this.#waiting.set(info.uid, {
        info,
        nodeName,
        reject,
        allow(plugin) {
          timers.get(plugin)?.cancel();
          timers.delete(plugin);
          if (timers.size === 0) end(undefined);
        },
      });
    });
  }
}
