import { join } from 'node:path';
import type { Pod } from '../api/core/v1.gen.ts';

/** Where the node keeps a pod's files. */
export interface PodDirectories {
  /** Holds everything below but the logs. */
  readonly root: string;
  readonly etc: string;
  readonly volumes: string;
  /** Last words of the containers. */
  readonly terminationLogs: string;
  readonly logs: string;
}

/** The folders of one pod under the node's state directory; nothing is created. */
export function podDirectories(directory: string, pod: Pod): PodDirectories {
  const { uid = '', name = '', namespace = '' } = pod.metadata;
  const root = join(directory, 'pods', uid);
  return {
    root,
    etc: join(root, 'etc'),
    volumes: join(root, 'volumes'),
    terminationLogs: join(root, 'termination-logs'),
    logs: join(directory, 'logs', `${namespace}_${name}_${uid}`),
  };
}

/** The log file of one attempt of a container. */
export function logFile(directories: PodDirectories, container: string, attempt: number): string {
  return join(directories.logs, container, `${attempt}.log`);
}
