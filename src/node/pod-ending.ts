import { createBackoff } from '../base/backoff.ts';
import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { NodeContext } from './node-context.ts';
import { PluginError } from './plugins/plugin-connection.ts';
import type { PodObserver } from './pod-observer.ts';
import type { StepRunner } from './step-runner.ts';
import { stopPod } from './stop-pod.ts';

export interface PodEndingOptions {
  readonly node: NodeContext;
  readonly steps: StepRunner;
  readonly observer: PodObserver;
  /** The newest version. */
  pod(): Live<Pod>;
}

/** The end of a pod's containers and sandboxes: begun once, in order, and hurried when somebody wants it sooner. */
export class PodEnding {
  readonly #options: PodEndingOptions;
  readonly #begun = new AbortController();
  #stopping: { graceMs: number; readonly hurry: AbortController } | undefined;
  readonly #ends: Promise<void>;
  readonly #backoff = createBackoff({ baseMs: 1000, maxMs: 30_000 });
  #finished = false;
  #tell: () => void = () => undefined;

  constructor(options: PodEndingOptions) {
    this.#options = options;
    this.#ends = new Promise((resolve) => (this.#tell = resolve));
  }

  get hasBegun(): boolean {
    return this.#stopping !== undefined;
  }

  /** Nothing of the pod runs any more, nor will. */
  get isFinished(): boolean {
    return this.#finished;
  }

  /** Resolves when {@link isFinished} has become true. */
  get finished(): Promise<void> {
    return this.#ends;
  }

  /** Aborted when the end begins: pulls and starts give up. */
  get signal(): AbortSignal {
    return this.#begun.signal;
  }

  /** Begins to end the pod, or hurries an end that would take longer than `graceMs`. */
  begin(graceMs: number): void {
    if (this.#stopping) {
      if (graceMs < this.#stopping.graceMs && !this.#finished) this.#hurry(graceMs);
      return;
    }
    this.#stopping = { graceMs, hurry: new AbortController() };
    this.#begun.abort();
    this.#options.observer.stopKilling();
    this.resume();
  }

  /** Goes on with an end that a failure (the runtime was away) has cut short. */
  resume(): void {
    if (this.#stopping && !this.#finished) this.#options.steps.run('stop', () => this.#terminate());
  }

  #hurry(graceMs: number): void {
    const { node, observer, steps } = this.#options;
    if (!this.#stopping) return;
    this.#stopping.graceMs = graceMs;
    this.#stopping.hurry.abort();
    for (const { id } of observer.running) {
      steps.run(`hurry ${id} ${graceMs}`, () => node.runtime.stopContainer(id, graceMs));
    }
  }

  async #terminate(): Promise<void> {
    const { node, observer, steps } = this.#options;
    do {
      await this.#stopRunning();
      await steps.othersSettled('stop');
    } while (observer.running.length > 0);
    for (const sandbox of observer.sandboxes) {
      await node.runtime.stopSandbox(sandbox.id);
      observer.setSandbox({ ...sandbox, ready: false });
    }
    if (!(await this.#unprepared())) return;
    this.#finished = true;
    this.#tell();
  }

  /** Whether the drivers of the pod's devices have taken them back; otherwise they are asked again later. */
  async #unprepared(): Promise<boolean> {
    const { node, steps, pod } = this.#options;
    try {
      await node.claims.unprepare(pod().metadata.uid);
      return true;
    } catch (error) {
      if (!(error instanceof PluginError)) throw error;
      steps.later('stop', this.#backoff.next());
      node.onError(error);
      return false;
    }
  }

  async #stopRunning(): Promise<void> {
    const { node, observer, pod } = this.#options;
    const { running } = observer;
    if (running.length === 0 || !this.#stopping) return;
    const { graceMs, hurry } = this.#stopping;
    await stopPod({ node, pod: pod(), running, graceMs, host: observer.host, signal: hurry.signal });
    for (const { id } of running) {
      const status = await node.runtime.containerStatus(id);
      if (status) await observer.observe(status);
    }
  }
}
