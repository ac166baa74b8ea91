import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { ContainerStatus } from './container-runtime.ts';
import { goDuration } from './go-duration.ts';
import type { NodeContext } from './node-context.ts';
import { podLabel } from './pod-containers.ts';

/** Holds back containers of one pod that end again and again (the kubelet's CrashLoopBackOff). */
export class RestartGate {
  readonly #node: NodeContext;
  /** By container name: the ended attempt that its back-off has counted. */
  readonly #counted = new Map<string, string>();

  constructor(node: NodeContext) {
    this.#node = node;
  }

  /** An attempt that the node ended itself does not count against the container. */
  excuse(name: string, ended: string): void {
    this.#counted.set(name, ended);
  }

  /** Undefined when a container may start again; else what to say and how long to wait. */
  waiting(
    pod: Pod,
    { name }: Container,
    ended: ContainerStatus,
  ): { readonly message: string; readonly remainingMs: number } | undefined {
    const { restarts, events, clock } = this.#node;
    if (this.#counted.get(name) === ended.id) return undefined;
    const key = `${pod.metadata.uid}/${name}`;
    const endedAt = ended.finishedAt ?? clock.now();
    const wait = restarts.waiting(key, endedAt);
    if (!wait) {
      restarts.fail(key, endedAt);
      this.#counted.set(name, ended.id);
      return undefined;
    }
    const label = podLabel(pod);
    const event = `Back-off restarting failed container ${name} in pod ${label}`;
    events.record(pod, 'Warning', 'BackOff', event);
    const message = `back-off ${goDuration(wait.backoffMs)} restarting failed container=${name} pod=${label}`;
    return { message, remainingMs: wait.remainingMs };
  }
}
