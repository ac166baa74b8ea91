import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * What the pod worker asks of a container runtime. The shape is CRI's (sandbox, container, image, exec, attach, stats), so
 * that a CRI endpoint can implement it; state that must survive the agent is the runtime's to keep.
 */
export interface ContainerRuntime {
  /** `native`, `process`, `cri` …, as `--runtime` names it, and what `node.status.nodeInfo.containerRuntimeVersion` says. */
  readonly name: string;
  readonly version: string;
  /** What this runtime cannot do on this machine, in words for the person (`seccomp profiles are not applied: …`). */
  readonly limitations: readonly string[];
  /** Whether `supplementalGroupsPolicy: Strict` is kept. */
  readonly keepsGroupsStrict?: boolean;
  /** Whether what is mounted below a read-only mount can be made read-only, too. */
  readonly recursiveReadOnlyMounts?: boolean;
  /** Why pods of a handler cannot have users of their own (`hostUsers: false`); undefined when they can. Absent: never. */
  withoutUserNamespaces?(handler: string | undefined): string | undefined;
  /** Whether containers can be given block devices. */
  readonly blockDevices?: boolean;

  /** Makes the pod's sandbox: its network namespace (joined to the pod network), IPC and UTS namespaces, cgroup. */
  runSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxStatus>;
  /** Kills what still runs in it and frees network and namespaces; idempotent. The sandbox stays listed until removed. */
  stopSandbox(id: string): Promise<void>;
  /** Removes the sandbox and all its containers with their files; idempotent. */
  removeSandbox(id: string): Promise<void>;
  /** Sandboxes of this node, also those made before the agent started. */
  listSandboxes(): Promise<readonly SandboxStatus[]>;

  /** Prepares a container's root file system and configuration; throws `RuntimeError`. */
  createContainer(sandboxId: string, spec: ContainerSpec, signal?: AbortSignal): Promise<string>;
  /** Resolves when its process runs. Throws `RuntimeError` `START_FAILED` with the cause (command not found …). */
  startContainer(id: string): Promise<void>;
  /** Sends the stop signal, waits up to `graceMs`, then SIGKILL; resolves when the process has ended. Idempotent. */
  stopContainer(id: string, graceMs: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  listContainers(sandboxId?: string): Promise<readonly ContainerStatus[]>;
  containerStatus(id: string): Promise<ContainerStatus | undefined>;
  /** Calls `listener` with every container that starts or ends from now on. */
  onContainerEvent(listener: (status: ContainerStatus) => void): { close(): void };
  /** Changes the limits of a running container; throws `RuntimeError` when the kernel does not take them. */
  updateResources(id: string, resources: ContainerResources): Promise<void>;
  /** Changes the limits of all containers of a sandbox together; absent where a runtime has none. */
  updateSandboxResources?(id: string, resources: ContainerResources): Promise<void>;

  /** Runs a command inside a running container. */
  exec(id: string, options: ExecOptions): Promise<ExecSession>;
  /** Joins the standard streams of the container's main process; output from now on. */
  attach(id: string, options: { readonly tty: boolean; readonly stdin: boolean }): Promise<ExecSession>;
  /** A connection to a TCP port on the sandbox's 127.0.0.1. */
  connectPort(sandboxId: string, port: number): Promise<Duplex>;
  /** Usage now; undefined for a container that does not run. */
  stats(id: string): Promise<ContainerStats | undefined>;
  /** The folder of what a container has written over its image; absent where there is none that can be looked into. */
  writableLayer?(id: string): string;
  /** Begins a new log file after the old one was renamed; absent where the runtime rotates logs itself. */
  reopenLog?(id: string): Promise<void>;
  /** Stops watching; containers go on. */
  close(): Promise<void>;
}

export interface SandboxSpec {
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  /** Counts sandboxes of one pod. */
  readonly attempt: number;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
  readonly hostPID: boolean;
  readonly hostIPC: boolean;
  readonly shareProcessNamespace: boolean;
  /** Whether its users are not the machine's; a runtime that cannot do that throws `UNSUPPORTED`. */
  readonly userNamespace?: boolean;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Whether one of its containers is privileged. */
  readonly privileged?: boolean;
  /** What the pod's RuntimeClass calls the way of running it; absent: the runtime's default. */
  readonly runtimeHandler?: string;
  /** Sum over the pod's containers; the pod's cgroup. */
  readonly resources: ContainerResources;
  readonly qosClass: 'Guaranteed' | 'Burstable' | 'BestEffort';
  readonly hostPorts: readonly {
    readonly protocol: 'TCP' | 'UDP' | 'SCTP';
    readonly containerPort: number;
    readonly hostPort: number;
    readonly hostIP?: string;
  }[];
}

export interface SandboxStatus {
  readonly id: string;
  readonly podUid: string;
  readonly podName: string;
  readonly podNamespace: string;
  readonly attempt: number;
  readonly ready: boolean;
  /** IPv4 address; absent for host network. */
  readonly ip?: string;
  /** Its addresses of other families. */
  readonly additionalIPs?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerResources {
  readonly cpuShares?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly memoryLimitBytes?: number;
  readonly pidsLimit?: number;
  readonly oomScoreAdj?: number;
}

export interface ContainerMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly readOnly: boolean;
  /** Read-only is what is mounted below it, too. */
  readonly recursive?: boolean;
  /** Nothing in it can be executed. */
  readonly noExec?: boolean;
  readonly propagation?: 'private' | 'rslave' | 'rshared';
}

/** A device of the machine, under the name that the container has for it. */
export interface ContainerDevice {
  /** A device node, or a folder of such. */
  readonly hostPath: string;
  readonly containerPath: string;
  /** Letters of `rwm`; absent: all. */
  readonly permissions?: string;
}

/** Devices by their names in the Container Device Interface. */
export interface CdiDevices {
  /** `vendor.example/class=name`. */
  readonly names: readonly string[];
  /** Where files tell of them, as far as the node knows; later ones count more. */
  readonly folders: readonly string[];
}

export interface ContainerSpec {
  readonly name: string;
  /** Counts restarts. */
  readonly attempt: number;
  /** Image id as the image service returned it. */
  readonly imageId: string;
  /** Reference as the user wrote it. */
  readonly image: string;
  /** Entrypoint override; empty: the image's. */
  readonly command: readonly string[];
  /** Arguments; when both are empty the image's Cmd is used; when only this is given it replaces Cmd. */
  readonly args: readonly string[];
  readonly workingDir?: string;
  /** Complete, in order, later wins; the image's own environment lies below it. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly ContainerMount[];
  /** Devices of the machine that the container sees. */
  readonly devices?: readonly ContainerDevice[];
  readonly cdi?: CdiDevices;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly resources: ContainerResources;
  /** Absolute path of the log file; lines in CRI format: `TIME stdout|stderr F|P TEXT`. */
  readonly logPath: string;
  readonly security: ContainerSecurity;
  /** A running container of the sandbox whose processes this one sees. */
  readonly processesOf?: string;
  /** Name of the signal that asks to stop; the image's when absent, SIGTERM when neither says. */
  readonly stopSignal?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly allowPrivilegeEscalation: boolean;
  /** Absent: the image's user. */
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  /** Without the groups that the image's files give the user. */
  readonly supplementalGroupsPolicy?: 'Strict';
  /** `/proc` with nothing hidden and nothing read-only. */
  readonly procMount?: 'Unmasked';
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly seccomp: {
    readonly type: 'Unconfined' | 'RuntimeDefault' | 'Localhost';
    readonly localhostProfile?: string;
  };
}

export interface ContainerStatus {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly name: string;
  readonly attempt: number;
  readonly image: string;
  readonly imageId: string;
  readonly state: 'created' | 'running' | 'exited';
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly exitCode?: number;
  /** Number of the signal that ended it. */
  readonly signal?: number;
  /** `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`. */
  readonly reason?: string;
  readonly message?: string;
  readonly logPath: string;
  readonly pid?: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Kills the command when it aborts. */
  readonly signal?: AbortSignal;
}

/** A running command with its streams; with a terminal everything comes on `stdout`. */
export interface ExecSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  /** Exit code (128 + signal when killed); resolves after the streams have ended. For attach: of the main process. */
  readonly exited: Promise<number>;
  resize(columns: number, rows: number): void;
  /** Detaches (attach) or kills the command (exec). */
  close(): void;
}

export interface ContainerStats {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cpuNanoseconds: number;
  readonly memoryWorkingSetBytes: number;
  readonly memoryUsageBytes: number;
  readonly pids?: number;
}

export type RuntimeErrorCode =
  | 'START_FAILED'
  | 'NOT_FOUND'
  | 'NOT_RUNNING'
  | 'NETWORK'
  | 'UNSUPPORTED'
  | 'FAILED';

/** What a runtime throws; the message goes into events and statuses as it is. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly code: RuntimeErrorCode;

  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
