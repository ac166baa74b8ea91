import type { ContainerSpec, SandboxSpec } from '../container-runtime.ts';

/** A pod's sandbox that asks for nothing special, for tests and measurements. */
export function sandboxSpec(): SandboxSpec {
  return {
    podUid: 'uid-1',
    podName: 'web',
    podNamespace: 'default',
    attempt: 0,
    hostname: 'web-host',
    labels: { app: 'web' },
    annotations: {},
    hostNetwork: false,
    hostPID: false,
    hostIPC: false,
    shareProcessNamespace: false,
    sysctls: {},
    resources: {},
    qosClass: 'BestEffort',
    hostPorts: [],
  };
}

/** A container that sleeps and asks for nothing special, for tests and measurements. */
export function containerSpec(logPath: string): ContainerSpec {
  return {
    name: 'main',
    attempt: 0,
    imageId: 'sha256:busybox',
    image: 'busybox:test',
    command: ['sleep', '1000'],
    args: [],
    env: [],
    mounts: [],
    tty: false,
    stdin: false,
    stdinOnce: false,
    resources: {},
    logPath,
    security: {
      privileged: false,
      readOnlyRootFilesystem: false,
      allowPrivilegeEscalation: true,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: [],
      seccomp: { type: 'RuntimeDefault' },
    },
    labels: {},
    annotations: {},
  };
}
