import type { ContainerSpec, ContainerStatus } from '../container-runtime.ts';

/** What does not change about a container. */
export interface ContainerIdentity {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly spec: ContainerSpec;
  readonly createdAt: number;
}

/** How far a container has come. */
export interface Progress {
  readonly state: 'created' | 'running' | 'exited';
  readonly pid?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly message?: string;
}

export function statusOf(record: ContainerIdentity, progress: Progress): ContainerStatus {
  const { spec } = record;
  const { pid, ...rest } = progress;
  return {
    id: record.id,
    sandboxId: record.sandboxId,
    podUid: record.podUid,
    name: spec.name,
    attempt: spec.attempt,
    image: spec.image,
    imageId: spec.imageId,
    createdAt: record.createdAt,
    logPath: spec.logPath,
    labels: spec.labels,
    annotations: spec.annotations,
    ...rest,
    ...(pid !== undefined && progress.state === 'running' ? { pid } : {}),
  };
}
