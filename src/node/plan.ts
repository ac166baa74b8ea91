import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { ContainerHistory } from './container-history.ts';
import type { ContainerStatus } from './container-runtime.ts';
import {
  containersOf,
  ephemeralContainersOf,
  initContainersOf,
  isSidecar,
  restartsInit,
  shouldRestart,
} from './pod-containers.ts';

/** What is known of a pod that is neither being deleted nor finished. */
export interface PodView {
  readonly pod: Pod;
  /** The sandbox that works; absent before it is made and after it died. */
  readonly sandboxId: string | undefined;
  /** Number of the newest sandbox ever made; -1 before the first. */
  readonly sandboxAttempt: number;
  readonly histories: ReadonlyMap<string, ContainerHistory>;
  /** Restart counts that the API remembers, for containers that the runtime has lost. */
  readonly rememberedRestarts: ReadonlyMap<string, number>;
  /** Whether a running container has passed its postStart hook and startup probe. */
  isStarted(status: ContainerStatus): boolean;
  /** Whether a running container lacks resources that it was granted. */
  needsResize(container: Container): boolean;
  /** Attempts that the node ended to start them again with other resources, by id. */
  readonly endedForResize: ReadonlySet<string>;
}

export type Step =
  | { readonly do: 'create-sandbox'; readonly attempt: number }
  | {
      readonly do: 'start';
      readonly container: Container;
      readonly attempt: number;
      /** The attempt that ended, which decides on the back-off. */
      readonly after: ContainerStatus | undefined;
    }
  | {
      readonly do: 'stop';
      readonly container: Container;
      readonly status: ContainerStatus;
      readonly why: string;
    }
  /** Give running containers what they were granted. */
  | { readonly do: 'resize' }
  /** Nothing is left to run: stop what runs and report the end. */
  | { readonly do: 'finish' };

/** Decides what is to be done now so that the pod gets where its spec wants it (the kubelet's computePodActions). */
export function planPod(view: PodView): readonly Step[] {
  if (view.sandboxId === undefined) return planSandbox(view);
  const main = containersOf(view.pod);
  const debugging = ephemeralContainersOf(view.pod).flatMap((container) => planEphemeral(view, container));
  const mainBegun = main.some((container) => current(view, container) !== undefined);
  const init = mainBegun ? planSidecars(view) : planInit(view);
  if (init.blocked) return [...debugging, ...init.steps];
  const steps = [...debugging, ...init.steps, ...main.flatMap((container) => planContainer(view, container))];
  const over = main.every((container) => isOver(view, container));
  return over ? [{ do: 'finish' }] : steps;
}

function planSandbox(view: PodView): readonly Step[] {
  const main = containersOf(view.pod);
  const begun = [...view.histories.values()].some((history) => history.length > 0);
  if (begun) {
    const policy = view.pod.spec?.restartPolicy ?? 'Always';
    const done = main.every((container) => {
      const last = view.histories.get(container.name)?.[0];
      return last?.state === 'exited' && !shouldRestart(view.pod, container, last.exitCode ?? 0);
    });
    if (done || policy === 'Never') return [{ do: 'finish' }];
  }
  return [{ do: 'create-sandbox', attempt: view.sandboxAttempt + 1 }];
}

/** The newest attempt inside the present sandbox. */
function current(view: PodView, container: Container): ContainerStatus | undefined {
  return view.histories.get(container.name)?.find((status) => status.sandboxId === view.sandboxId);
}

function start(view: PodView, container: Container): Step {
  const newest = view.histories.get(container.name)?.[0];
  const remembered = view.rememberedRestarts.get(container.name);
  const previous = newest?.attempt ?? remembered ?? -1;
  return {
    do: 'start',
    container,
    attempt: newest?.state === 'created' ? previous : previous + 1,
    after: newest?.sandboxId === view.sandboxId ? newest : undefined,
  };
}

interface InitPlan {
  readonly steps: readonly Step[];
  /** Main containers must wait. */
  readonly blocked: boolean;
}

function planInit(view: PodView): InitPlan {
  const steps: Step[] = [];
  for (const container of initContainersOf(view.pod)) {
    const status = current(view, container);
    if (isSidecar(container)) {
      steps.push(...planContainer(view, container));
      if (status?.state !== 'running' || !view.isStarted(status)) return { steps, blocked: true };
      continue;
    }
    if (status?.state === 'exited' && (status.exitCode ?? 0) === 0) continue;
    if (status?.state === 'exited' && !restartsInit(view.pod, container, status.exitCode ?? 0)) {
      return { steps: [{ do: 'finish' }], blocked: true };
    }
    if (status?.state !== 'running') steps.push(start(view, container));
    return { steps, blocked: true };
  }
  return { steps, blocked: false };
}

function planSidecars(view: PodView): InitPlan {
  const steps = initContainersOf(view.pod)
    .filter(isSidecar)
    .flatMap((container) => planContainer(view, container));
  return { steps, blocked: false };
}

function planEphemeral(view: PodView, container: Container): readonly Step[] {
  const newest = view.histories.get(container.name)?.[0];
  const begun = newest ? newest.state !== 'created' : view.rememberedRestarts.has(container.name);
  return begun ? [] : [start(view, container)];
}

function planContainer(view: PodView, container: Container): readonly Step[] {
  const status = current(view, container);
  if (status === undefined || status.state === 'created') return [start(view, container)];
  if (status.state === 'running') {
    if (status.image === container.image) return view.needsResize(container) ? [{ do: 'resize' }] : [];
    const why = `Container ${container.name} definition changed, will be restarted`;
    return [{ do: 'stop', container, status, why }];
  }
  return startsAgain(view, container, status) ? [start(view, container)] : [];
}

function startsAgain(view: PodView, container: Container, ended: ContainerStatus): boolean {
  return view.endedForResize.has(ended.id) || shouldRestart(view.pod, container, ended.exitCode ?? 0);
}

function isOver(view: PodView, container: Container): boolean {
  const status = current(view, container);
  return status?.state === 'exited' && !startsAgain(view, container, status);
}
