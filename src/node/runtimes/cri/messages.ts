import type { EnumValue } from './schema.ts';

/** Integers of 64 bits come as numbers: nanoseconds lose their last digits. */
export interface Wrapped {
  readonly value: number;
}

type Strings = Readonly<Record<string, string>>;

export interface Namespaces {
  readonly network: EnumValue<'NamespaceMode'>;
  readonly pid: EnumValue<'NamespaceMode'>;
  readonly ipc: EnumValue<'NamespaceMode'>;
  readonly target_id?: string;
}

export interface SecurityProfile {
  readonly profile_type: EnumValue<'ProfileType'>;
  readonly localhost_ref?: string;
}

export interface Resources {
  readonly cpu_period?: number;
  readonly cpu_quota?: number;
  readonly cpu_shares?: number;
  readonly memory_limit_in_bytes?: number;
  readonly oom_score_adj?: number;
}

export interface SandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  readonly attempt: number;
}

export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  readonly hostname: string;
  readonly log_directory: string;
  readonly labels: Strings;
  readonly annotations: Strings;
  readonly linux: {
    readonly cgroup_parent: string;
    readonly security_context: {
      readonly namespace_options: Namespaces;
      readonly privileged: boolean;
      readonly seccomp: SecurityProfile;
    };
    readonly sysctls: Strings;
    readonly resources: Resources;
    readonly overhead?: Resources;
  };
}

interface ListedSandbox {
  readonly id: string;
  readonly metadata: SandboxMetadata;
  readonly state: EnumValue<'PodSandboxState'>;
  readonly created_at: number;
  readonly labels: Strings;
  readonly annotations: Strings;
}

export interface Sandbox extends ListedSandbox {
  readonly network: {
    readonly ip: string;
    readonly additional_ips: readonly { readonly ip: string }[];
  } | null;
}

export interface MountConfig {
  readonly container_path: string;
  readonly host_path: string;
  readonly readonly: boolean;
  readonly propagation: EnumValue<'MountPropagation'>;
  readonly recursive_read_only: boolean;
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string };
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly working_dir: string;
  readonly envs: readonly { readonly key: string; readonly value: string }[];
  readonly mounts: readonly MountConfig[];
  readonly devices: readonly {
    readonly container_path: string;
    readonly host_path: string;
    readonly permissions: string;
  }[];
  readonly CDI_devices: readonly { readonly name: string }[];
  readonly labels: Strings;
  readonly annotations: Strings;
  readonly log_path: string;
  readonly stdin: boolean;
  readonly stdin_once: boolean;
  readonly tty: boolean;
  readonly linux: {
    readonly resources: Resources;
    readonly security_context: {
      readonly capabilities: {
        readonly add_capabilities: readonly string[];
        readonly drop_capabilities: readonly string[];
      };
      readonly privileged: boolean;
      readonly namespace_options: Namespaces;
      readonly run_as_user?: Wrapped;
      readonly run_as_username?: string;
      readonly run_as_group?: Wrapped;
      readonly readonly_rootfs: boolean;
      readonly supplemental_groups: readonly number[];
      readonly supplemental_groups_policy: EnumValue<'SupplementalGroupsPolicy'>;
      readonly no_new_privs: boolean;
      readonly masked_paths: readonly string[];
      readonly readonly_paths: readonly string[];
      readonly seccomp: SecurityProfile;
    };
  };
}

export interface ListedContainer {
  readonly id: string;
  readonly pod_sandbox_id: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image_ref: string;
  readonly state: EnumValue<'ContainerState'>;
  readonly created_at: number;
  readonly labels: Strings;
  readonly annotations: Strings;
}

export interface Container {
  readonly id: string;
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly state: EnumValue<'ContainerState'>;
  readonly created_at: number;
  readonly started_at: number;
  readonly finished_at: number;
  readonly exit_code: number;
  readonly image_ref: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: Strings;
  readonly annotations: Strings;
  readonly log_path: string;
}

export interface CriImage {
  readonly id: string;
  readonly repo_tags: readonly string[];
  readonly repo_digests: readonly string[];
  readonly size: number;
  readonly uid: Wrapped | null;
  readonly username: string;
  /** Not to be removed. */
  readonly pinned: boolean;
}

export interface AuthConfig {
  readonly username: string;
  readonly password: string;
  readonly server_address: string;
}

interface ImageSpec {
  readonly image: string;
}

interface Filter {
  readonly label_selector?: Strings;
  readonly pod_sandbox_id?: string;
}

type Nothing = Readonly<Record<string, never>>;

/** Request and response of each method that is used; absent messages of responses are null. */
export interface CriMethods {
  Version: [
    { readonly version: string },
    { readonly runtime_name: string; readonly runtime_version: string },
  ];
  Status: [
    { readonly verbose: boolean },
    {
      readonly status: {
        readonly conditions: readonly {
          readonly type: string;
          readonly status: boolean;
          readonly reason: string;
          readonly message: string;
        }[];
      } | null;
      readonly info: Strings;
      /** Of newer runtimes. */
      readonly runtime_handlers: readonly {
        readonly name: string;
        readonly features: { readonly recursive_read_only_mounts: boolean } | null;
      }[];
      readonly features: { readonly supplemental_groups_policy: boolean } | null;
    },
  ];
  RunPodSandbox: [
    { readonly config: SandboxConfig; readonly runtime_handler: string },
    { readonly pod_sandbox_id: string },
  ];
  StopPodSandbox: [{ readonly pod_sandbox_id: string }, Nothing];
  RemovePodSandbox: [{ readonly pod_sandbox_id: string }, Nothing];
  PodSandboxStatus: [{ readonly pod_sandbox_id: string }, { readonly status: Sandbox | null }];
  ListPodSandbox: [{ readonly filter: Filter }, { readonly items: readonly ListedSandbox[] }];
  CreateContainer: [
    {
      readonly pod_sandbox_id: string;
      readonly config: ContainerConfig;
      readonly sandbox_config: SandboxConfig;
    },
    { readonly container_id: string },
  ];
  StartContainer: [{ readonly container_id: string }, Nothing];
  StopContainer: [{ readonly container_id: string; readonly timeout: number }, Nothing];
  RemoveContainer: [{ readonly container_id: string }, Nothing];
  ContainerStatus: [
    { readonly container_id: string; readonly verbose: boolean },
    { readonly status: Container | null; readonly info: Strings },
  ];
  ListContainers: [{ readonly filter: Filter }, { readonly containers: readonly ListedContainer[] }];
  UpdateContainerResources: [{ readonly container_id: string; readonly linux: Resources }, Nothing];
  ReopenContainerLog: [{ readonly container_id: string }, Nothing];
  Exec: [
    {
      readonly container_id: string;
      readonly cmd: readonly string[];
      readonly tty: boolean;
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
    },
    { readonly url: string },
  ];
  Attach: [
    {
      readonly container_id: string;
      readonly tty: boolean;
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
    },
    { readonly url: string },
  ];
  PortForward: [
    { readonly pod_sandbox_id: string; readonly port: readonly number[] },
    { readonly url: string },
  ];
  ContainerStats: [
    { readonly container_id: string },
    {
      readonly stats: {
        readonly cpu: { readonly timestamp: number; readonly usage_core_nano_seconds: Wrapped | null } | null;
        readonly memory: {
          readonly working_set_bytes: Wrapped | null;
          readonly usage_bytes: Wrapped | null;
        } | null;
      } | null;
    },
  ];
  ListImages: [Nothing, { readonly images: readonly CriImage[] }];
  ImageStatus: [
    { readonly image: ImageSpec; readonly verbose: boolean },
    { readonly image: CriImage | null; readonly info: Strings },
  ];
  PullImage: [{ readonly image: ImageSpec; readonly auth?: AuthConfig }, { readonly image_ref: string }];
  RemoveImage: [{ readonly image: ImageSpec }, Nothing];
  ImageFsInfo: [
    Nothing,
    { readonly image_filesystems: readonly { readonly fs_id: { readonly mountpoint: string } | null }[] },
  ];
}
