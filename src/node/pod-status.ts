import { timestamp } from '../base/clock.ts';
import type {
  Container,
  ContainerStateWaiting,
  ContainerStatus as ApiContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  ResourceRequirements,
  ResourceStatus,
} from '../api/core/v1.gen.ts';
import { containerStatus, type ContainerView } from './container-status.ts';
import type { ContainerHistory } from './container-history.ts';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';
import {
  containersOf,
  ephemeralContainersOf,
  initContainersOf,
  isSidecar,
  shouldRestart,
} from './pod-containers.ts';
import { podConditions } from './pod-conditions.ts';
import { podPhase, type PodPhase } from './pod-phase.ts';

/** What a pod's status is computed from. */
export interface PodObservation {
  readonly pod: Pod;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly startedAt: number;
  /** What was reported last, when the API may not have it yet. */
  readonly previous: PodStatus | undefined;
  /** The newest sandbox, whether or not it still works. */
  readonly sandbox: SandboxStatus | undefined;
  readonly histories: ReadonlyMap<string, ContainerHistory>;
  /** Why a container that should run does not, by container name. */
  readonly waiting: ReadonlyMap<string, ContainerStateWaiting>;
  /** Last words of ended containers, by container id. */
  readonly terminationMessages: ReadonlyMap<string, string>;
  /** Digest reference of an image id, as `imageID` shows it. */
  imageReference(imageId: string): string;
  isStarted(status: ContainerStatus): boolean;
  isReady(status: ContainerStatus): boolean;
  /** All that ever runs of this pod has ended and will not be started again. */
  readonly finished: boolean;
  /** Devices of its claims have not been taken back: it is not over before. */
  readonly holdsClaims: boolean;
  /** How a container's devices are; nothing is known of them once they are taken back. */
  deviceHealth(container: Container): readonly ResourceStatus[];
  /** Set when the node itself ended the pod. */
  readonly verdict: { readonly reason: string; readonly message: string } | undefined;
  readonly hostIPs: readonly string[];
  readonly runtimeName: string;
  /** What a container was given last, by name; `pod` has what it was granted. */
  actualResources(name: string): ResourceRequirements | undefined;
  /** Conditions of the node's beside those that every pod has. */
  readonly extraConditions: readonly PodCondition[];
}

/** The status that the node reports of a pod: a pure function of what it observes. Foreign conditions are kept. */
export function podStatus(seen: PodObservation): PodStatus {
  const { pod } = seen;
  const init = initContainersOf(pod).map((container) => oneStatus(seen, container));
  const main = containersOf(pod).map((container) => oneStatus(seen, container));
  const ephemeral = ephemeralContainersOf(pod).map((container) => oneStatus(seen, container));
  const phase = phaseOf(seen, init, main);
  const over = phase === 'Succeeded' || phase === 'Failed';
  const settled = over
    ? {
        init: init.map((status) => closed(status, seen, init)),
        main: main.map((status) => closed(status, seen, init)),
      }
    : { init, main };
  const ips = podIPs(seen);
  const [firstIP] = ips;
  return {
    phase,
    conditions: [
      ...podConditions({
        pod,
        phase,
        init: settled.init,
        main: settled.main,
        previous: seen.previous?.conditions ?? pod.status?.conditions ?? [],
        sandboxReady: seen.sandbox?.ready === true,
        now: seen.now,
      }),
      ...seen.extraConditions,
    ],
    ...podLevelResources(pod),
    ...(seen.finished && seen.verdict
      ? { reason: seen.verdict.reason, message: seen.verdict.message }
      : keptVerdict(pod, phase)),
    startTime: pod.status?.startTime ?? timestamp(seen.startedAt),
    ...hostAddresses(seen.hostIPs),
    ...(firstIP !== undefined && { podIP: firstIP, podIPs: ips.map((ip) => ({ ip })) }),
    ...(settled.init.length > 0 && { initContainerStatuses: settled.init }),
    containerStatuses: settled.main,
    ...(ephemeral.length > 0 && { ephemeralContainerStatuses: ephemeral }),
    ...(pod.status?.qosClass !== undefined && { qosClass: pod.status.qosClass }),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  };
}

/** A pod that is over stays what it was. A verdict shows only at the end. */
function phaseOf(
  seen: PodObservation,
  init: readonly ApiContainerStatus[],
  main: readonly ApiContainerStatus[],
): PodPhase {
  const { phase: known } = seen.pod.status ?? {};
  if (known === 'Succeeded' || known === 'Failed') return known;
  if (seen.verdict && seen.finished) return 'Failed';
  const phase = podPhase({ pod: seen.pod, init, main, finished: seen.finished });
  const over = phase === 'Succeeded' || phase === 'Failed';
  return (seen.verdict || seen.holdsClaims) && over ? 'Running' : phase;
}

function keptVerdict(pod: Pod, phase: string): Pick<PodStatus, 'reason' | 'message'> {
  if (phase !== 'Failed' || pod.status?.phase !== 'Failed') return {};
  return {
    ...(pod.status.reason !== undefined && { reason: pod.status.reason }),
    ...(pod.status.message !== undefined && { message: pod.status.message }),
  };
}

/** What a pod that sets resources as a whole was granted. */
function podLevelResources({ spec }: Pod): Pick<PodStatus, 'resources' | 'allocatedResources'> {
  if (!spec.resources) return {};
  const { requests, limits } = spec.resources;
  return {
    ...(requests && { allocatedResources: requests }),
    resources: { ...(limits && { limits }), ...(requests && { requests }) },
  };
}

function hostAddresses(ips: readonly string[]): Pick<PodStatus, 'hostIP' | 'hostIPs'> {
  const [first] = ips;
  return first === undefined ? {} : { hostIP: first, hostIPs: ips.map((ip) => ({ ip })) };
}

function podIPs(seen: PodObservation): readonly string[] {
  if (seen.pod.spec?.hostNetwork === true) return seen.sandbox || seen.finished ? seen.hostIPs : [];
  if (seen.sandbox?.ip !== undefined) return [seen.sandbox.ip, ...(seen.sandbox.additionalIPs ?? [])];
  return (seen.pod.status?.podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}

function oneStatus(seen: PodObservation, container: Container): ApiContainerStatus {
  const history = seen.histories.get(container.name) ?? [];
  const kind = kindOf(seen.pod, container);
  const view: ContainerView = {
    container,
    history,
    waiting: seen.waiting.get(container.name),
    defaultWaiting: initContainersOf(seen.pod).length > 0 ? 'PodInitializing' : 'ContainerCreating',
    remembered: rememberedStatus(seen.pod, container.name),
    messages: seen.terminationMessages,
    imageReference: (id) => seen.imageReference(id),
    runtimeName: seen.runtimeName,
    restarts: !seen.finished && restarts(seen.pod, container, history[0]),
    kind,
    actualResources: seen.actualResources(container.name),
    deviceHealth: kind === 'main' ? seen.deviceHealth(container) : [],
    started: history[0]?.state === 'running' && seen.isStarted(history[0]),
    ready: history[0]?.state === 'running' && seen.isReady(history[0]),
  };
  return containerStatus(view);
}

function kindOf(pod: Pod, container: Container): ContainerView['kind'] {
  if (containersOf(pod).includes(container)) return 'main';
  if (!initContainersOf(pod).includes(container)) return 'ephemeral';
  return isSidecar(container) ? 'sidecar' : 'init';
}

function restarts(pod: Pod, container: Container, newest: ContainerStatus | undefined): boolean {
  if (newest?.state !== 'exited') return true;
  return (
    !ephemeralContainersOf(pod).includes(container) && shouldRestart(pod, container, newest.exitCode ?? 0)
  );
}

function rememberedStatus(pod: Pod, name: string): ApiContainerStatus | undefined {
  const {
    initContainerStatuses = [],
    containerStatuses = [],
    ephemeralContainerStatuses = [],
  } = pod.status ?? {};
  const statuses = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses];
  return statuses.find((status) => status.name === name);
}

/** A container of an ended pod that was to run but of whose end nothing is known counts as killed. */
function closed(
  status: ApiContainerStatus,
  seen: PodObservation,
  init: readonly ApiContainerStatus[],
): ApiContainerStatus {
  if (status.state?.terminated) return status;
  const initialized = init.every(
    (one) => one.state?.terminated?.exitCode === 0 || one.state?.running !== undefined,
  );
  if (!initialized) return { ...status, ready: false, started: false };
  return {
    ...status,
    ready: false,
    started: false,
    state: {
      terminated: {
        exitCode: 137,
        reason: 'ContainerStatusUnknown',
        message: 'The container could not be located when the pod was terminated',
      },
    },
  };
}
