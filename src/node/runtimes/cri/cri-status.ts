import type { ContainerStatus, SandboxStatus } from '../../container-runtime.ts';
import { kept, podUidLabel } from './cri-config.ts';
import type { Container, Sandbox } from './messages.ts';

/** A sandbox as the node agent knows it. */
export function sandboxStatus(sandbox: Sandbox): SandboxStatus {
  const { metadata } = sandbox;
  const ip = sandbox.network?.ip ?? '';
  return {
    id: sandbox.id,
    podUid: metadata.uid,
    podName: metadata.name,
    podNamespace: metadata.namespace,
    attempt: metadata.attempt,
    ready: sandbox.state === 'SANDBOX_READY',
    ...(ip !== '' && { ip }),
    createdAt: milliseconds(sandbox.created_at),
    labels: sandbox.labels,
    annotations: sandbox.annotations,
  };
}

/** A container as the node agent knows it. */
export function containerStatus(
  container: Container,
  info: Readonly<Record<string, string>>,
): ContainerStatus {
  const { annotations } = container;
  const pid = pidOf(info);
  return {
    id: container.id,
    sandboxId: annotations[kept.sandboxId] ?? '',
    podUid: container.labels[podUidLabel] ?? '',
    name: container.metadata.name,
    attempt: container.metadata.attempt,
    image: annotations[kept.image] ?? '',
    imageId: annotations[kept.imageId] ?? container.image_ref,
    createdAt: milliseconds(container.created_at),
    logPath: container.log_path,
    labels: container.labels,
    annotations,
    ...progressOf(container, pid),
  };
}

type Progress = Pick<
  ContainerStatus,
  'state' | 'pid' | 'startedAt' | 'finishedAt' | 'exitCode' | 'reason' | 'message'
>;

function progressOf(container: Container, pid: number | undefined): Progress {
  const startedAt = container.started_at > 0 ? { startedAt: milliseconds(container.started_at) } : {};
  if (container.state === 'CONTAINER_CREATED') return { state: 'created' };
  if (container.state === 'CONTAINER_RUNNING') {
    return { state: 'running', ...startedAt, ...(pid !== undefined && { pid }) };
  }
  const neverStarted = container.reason === 'StartError' || container.started_at <= 0;
  const exitCode = container.state === 'CONTAINER_UNKNOWN' ? 255 : container.exit_code;
  return {
    state: 'exited',
    ...startedAt,
    ...(container.finished_at > 0 && { finishedAt: milliseconds(container.finished_at) }),
    exitCode,
    reason: neverStarted
      ? 'ContainerCannotRun'
      : container.reason || (exitCode === 0 ? 'Completed' : 'Error'),
    ...(container.message !== '' && { message: container.message }),
  };
}

/** The main process: containerd and CRI-O tell it in what they call verbose. */
function pidOf(info: Readonly<Record<string, string>>): number | undefined {
  const text = info['info'];
  if (text === undefined) return undefined;
  const parsed = JSON.parse(text) as { readonly pid?: unknown };
  return typeof parsed.pid === 'number' && parsed.pid > 0 ? parsed.pid : undefined;
}

function milliseconds(nanoseconds: number): number {
  return Math.floor(nanoseconds / 1e6);
}
