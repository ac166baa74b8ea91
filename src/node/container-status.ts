import { timestamp } from '../base/clock.ts';
import type {
  Container,
  ContainerState,
  ContainerStateTerminated,
  ContainerStateWaiting,
  ContainerStatus as ApiContainerStatus,
  ResourceRequirements,
  ResourceStatus,
} from '../api/core/v1.gen.ts';
import { mountStatuses } from './mount-status.ts';
import type { ContainerHistory } from './container-history.ts';
import type { ContainerStatus } from './container-runtime.ts';

/** What one container's status is computed from. */
export interface ContainerView {
  readonly container: Container;
  readonly history: ContainerHistory;
  readonly kind: 'main' | 'init' | 'sidecar' | 'ephemeral';
  readonly waiting: ContainerStateWaiting | undefined;
  /** Reason while nothing is known. */
  readonly defaultWaiting: string;
  /** What the API last heard. */
  readonly remembered: ApiContainerStatus | undefined;
  readonly messages: ReadonlyMap<string, string>;
  imageReference(imageId: string): string;
  readonly runtimeName: string;
  /** Whether the container would be started again if it is not running. */
  readonly restarts: boolean;
  readonly started: boolean;
  readonly ready: boolean;
  /** What the container was given; undefined: what its spec says. */
  readonly actualResources: ResourceRequirements | undefined;
  readonly deviceHealth: readonly ResourceStatus[];
}

/** One entry of `containerStatuses` or `initContainerStatuses`. */
export function containerStatus(view: ContainerView): ApiContainerStatus {
  const { container, history, remembered } = view;
  const [newest, previous] = history;
  const state = stateOf(view, newest);
  const last = lastState(view, state, newest, previous);
  return {
    name: container.name,
    state,
    lastState: last,
    ready: isReady(view, state),
    restartCount: newest?.attempt ?? remembered?.restartCount ?? 0,
    image: newest?.image ?? remembered?.image ?? container.image ?? '',
    imageID: newest ? view.imageReference(newest.imageId) : (remembered?.imageID ?? ''),
    ...identity(view, newest, remembered),
    started: view.started,
    ...(newest && container.lifecycle?.stopSignal && { stopSignal: container.lifecycle.stopSignal }),
    ...resourcesOf(view, newest),
    ...mountsOf(container, newest),
    ...healthOf(view),
  };
}

function identity(
  view: ContainerView,
  newest: ContainerStatus | undefined,
  remembered: ApiContainerStatus | undefined,
): Pick<ApiContainerStatus, 'containerID'> {
  if (newest) return { containerID: containerID(view, newest) };
  return remembered?.containerID === undefined ? {} : { containerID: remembered.containerID };
}

function containerID(view: ContainerView, status: ContainerStatus): string {
  return `${view.runtimeName}://${status.id}`;
}

function stateOf(view: ContainerView, newest: ContainerStatus | undefined): ContainerState {
  if (newest?.state === 'running') {
    return { running: { startedAt: timestamp(newest.startedAt ?? newest.createdAt) } };
  }
  if (newest?.state === 'exited' && (!view.restarts || view.waiting === undefined)) {
    return { terminated: terminated(view, newest) };
  }
  if (newest === undefined && view.remembered?.state?.terminated) {
    if (!view.restarts) return { terminated: view.remembered.state.terminated };
  }
  return { waiting: view.waiting ?? { reason: view.defaultWaiting } };
}

function lastState(
  view: ContainerView,
  state: ContainerState,
  newest: ContainerStatus | undefined,
  previous: ContainerStatus | undefined,
): ContainerState {
  if (state.waiting && newest?.state === 'exited') return { terminated: terminated(view, newest) };
  if (previous?.state === 'exited') return { terminated: terminated(view, previous) };
  const own = newest && containerID(view, newest);
  const known = [view.remembered?.state?.terminated, view.remembered?.lastState?.terminated];
  const before = known.find((one) => one !== undefined && one.containerID !== own);
  return before && before !== state.terminated ? { terminated: before } : {};
}

function terminated(view: ContainerView, status: ContainerStatus): ContainerStateTerminated {
  const exitCode = status.exitCode ?? 0;
  const notStarted = status.reason === 'ContainerCannotRun';
  const startedAt = status.startedAt ?? (notStarted ? 0 : undefined);
  const message = view.messages.get(status.id) ?? status.message;
  return {
    exitCode,
    ...(status.signal !== undefined && exitCode < 128 && { signal: status.signal }),
    reason: notStarted ? 'StartError' : (status.reason ?? (exitCode === 0 ? 'Completed' : 'Error')),
    ...(message !== undefined && message !== '' && { message }),
    ...(startedAt !== undefined && { startedAt: timestamp(startedAt) }),
    ...(status.finishedAt !== undefined && { finishedAt: timestamp(status.finishedAt) }),
    containerID: containerID(view, status),
  };
}

function isReady(view: ContainerView, state: ContainerState): boolean {
  if (view.kind === 'init') return state.terminated?.exitCode === 0;
  return view.kind !== 'ephemeral' && state.running !== undefined && view.ready;
}

function resourcesOf(
  { container, actualResources }: ContainerView,
  newest: ContainerStatus | undefined,
): Pick<ApiContainerStatus, 'resources' | 'allocatedResources'> {
  if (newest === undefined) return {};
  const { requests: granted } = container.resources ?? {};
  const { requests, limits } = actualResources ?? container.resources ?? {};
  return {
    ...(granted !== undefined && { allocatedResources: granted }),
    resources: { ...(limits !== undefined && { limits }), ...(requests !== undefined && { requests }) },
  };
}

/** What was reported last stays when the devices are taken back. */
function healthOf({
  deviceHealth,
  remembered,
}: ContainerView): Pick<ApiContainerStatus, 'allocatedResourcesStatus'> {
  const known = deviceHealth.length > 0 ? deviceHealth : remembered?.allocatedResourcesStatus;
  return known ? { allocatedResourcesStatus: known } : {};
}

function mountsOf(
  container: Container,
  newest: ContainerStatus | undefined,
): Pick<ApiContainerStatus, 'volumeMounts'> {
  const mounts = mountStatuses(container, newest?.annotations);
  return mounts.length === 0 ? {} : { volumeMounts: mounts };
}
