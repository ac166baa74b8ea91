import type { fromJSON } from '@grpc/proto-loader';

type Namespace = Parameters<typeof fromJSON>[0];

/** Fields of a message as `[repeated] TYPE NUMBER` or `map TYPE NUMBER` (of strings). */
type Fields = Readonly<Record<string, string>>;

const enums = {
  Protocol: ['TCP', 'UDP', 'SCTP'],
  MountPropagation: ['PROPAGATION_PRIVATE', 'PROPAGATION_HOST_TO_CONTAINER', 'PROPAGATION_BIDIRECTIONAL'],
  NamespaceMode: ['POD', 'CONTAINER', 'NODE', 'TARGET'],
  ProfileType: ['RuntimeDefault', 'Unconfined', 'Localhost'],
  SupplementalGroupsPolicy: ['Merge', 'Strict'],
  PodSandboxState: ['SANDBOX_READY', 'SANDBOX_NOTREADY'],
  ContainerState: ['CONTAINER_CREATED', 'CONTAINER_RUNNING', 'CONTAINER_EXITED', 'CONTAINER_UNKNOWN'],
  ContainerEventType: [
    'CONTAINER_CREATED_EVENT',
    'CONTAINER_STARTED_EVENT',
    'CONTAINER_STOPPED_EVENT',
    'CONTAINER_DELETED_EVENT',
  ],
} as const;

/** Names of an enumeration's values; their numbers are their positions. */
export type EnumValue<Name extends keyof typeof enums> = (typeof enums)[Name][number];

const messages: Readonly<Record<string, Fields>> = {
  VersionRequest: { version: 'string 1' },
  VersionResponse: {
    version: 'string 1',
    runtime_name: 'string 2',
    runtime_version: 'string 3',
    runtime_api_version: 'string 4',
  },
  StatusRequest: { verbose: 'bool 1' },
  RuntimeCondition: { type: 'string 1', status: 'bool 2', reason: 'string 3', message: 'string 4' },
  RuntimeStatus: { conditions: 'repeated RuntimeCondition 1' },
  RuntimeHandlerFeatures: { recursive_read_only_mounts: 'bool 1', user_namespaces: 'bool 2' },
  RuntimeHandler: { name: 'string 1', features: 'RuntimeHandlerFeatures 2' },
  RuntimeFeatures: { supplemental_groups_policy: 'bool 1' },
  StatusResponse: {
    status: 'RuntimeStatus 1',
    info: 'map string 2',
    runtime_handlers: 'repeated RuntimeHandler 3',
    features: 'RuntimeFeatures 4',
  },
  Int64Value: { value: 'int64 1' },
  UInt64Value: { value: 'uint64 1' },
  KeyValue: { key: 'string 1', value: 'string 2' },
  DNSConfig: { servers: 'repeated string 1', searches: 'repeated string 2', options: 'repeated string 3' },
  PortMapping: {
    protocol: 'Protocol 1',
    container_port: 'int32 2',
    host_port: 'int32 3',
    host_ip: 'string 4',
  },
  Mount: {
    container_path: 'string 1',
    host_path: 'string 2',
    readonly: 'bool 3',
    selinux_relabel: 'bool 4',
    propagation: 'MountPropagation 5',
    recursive_read_only: 'bool 8',
    image: 'ImageSpec 9',
    image_sub_path: 'string 10',
  },
  NamespaceOption: {
    network: 'NamespaceMode 1',
    pid: 'NamespaceMode 2',
    ipc: 'NamespaceMode 3',
    target_id: 'string 4',
  },
  SecurityProfile: { profile_type: 'ProfileType 1', localhost_ref: 'string 2' },
  LinuxSandboxSecurityContext: {
    namespace_options: 'NamespaceOption 1',
    run_as_user: 'Int64Value 3',
    readonly_rootfs: 'bool 4',
    supplemental_groups: 'repeated int64 5',
    privileged: 'bool 6',
    run_as_group: 'Int64Value 8',
    seccomp: 'SecurityProfile 9',
    apparmor: 'SecurityProfile 10',
  },
  LinuxPodSandboxConfig: {
    cgroup_parent: 'string 1',
    security_context: 'LinuxSandboxSecurityContext 2',
    sysctls: 'map string 3',
    overhead: 'LinuxContainerResources 4',
    resources: 'LinuxContainerResources 5',
  },
  PodSandboxMetadata: { name: 'string 1', uid: 'string 2', namespace: 'string 3', attempt: 'uint32 4' },
  PodSandboxConfig: {
    metadata: 'PodSandboxMetadata 1',
    hostname: 'string 2',
    log_directory: 'string 3',
    dns_config: 'DNSConfig 4',
    port_mappings: 'repeated PortMapping 5',
    labels: 'map string 6',
    annotations: 'map string 7',
    linux: 'LinuxPodSandboxConfig 8',
  },
  RunPodSandboxRequest: { config: 'PodSandboxConfig 1', runtime_handler: 'string 2' },
  RunPodSandboxResponse: { pod_sandbox_id: 'string 1' },
  StopPodSandboxRequest: { pod_sandbox_id: 'string 1' },
  StopPodSandboxResponse: {},
  RemovePodSandboxRequest: { pod_sandbox_id: 'string 1' },
  RemovePodSandboxResponse: {},
  PodSandboxStatusRequest: { pod_sandbox_id: 'string 1', verbose: 'bool 2' },
  PodIP: { ip: 'string 1' },
  PodSandboxNetworkStatus: { ip: 'string 1', additional_ips: 'repeated PodIP 2' },
  PodSandboxStatus: {
    id: 'string 1',
    metadata: 'PodSandboxMetadata 2',
    state: 'PodSandboxState 3',
    created_at: 'int64 4',
    network: 'PodSandboxNetworkStatus 5',
    labels: 'map string 7',
    annotations: 'map string 8',
    runtime_handler: 'string 9',
  },
  PodSandboxStatusResponse: { status: 'PodSandboxStatus 1', info: 'map string 2' },
  PodSandboxStateValue: { state: 'PodSandboxState 1' },
  PodSandboxFilter: { id: 'string 1', state: 'PodSandboxStateValue 2', label_selector: 'map string 3' },
  ListPodSandboxRequest: { filter: 'PodSandboxFilter 1' },
  PodSandbox: {
    id: 'string 1',
    metadata: 'PodSandboxMetadata 2',
    state: 'PodSandboxState 3',
    created_at: 'int64 4',
    labels: 'map string 5',
    annotations: 'map string 6',
    runtime_handler: 'string 7',
  },
  ListPodSandboxResponse: { items: 'repeated PodSandbox 1' },
  ImageSpec: { image: 'string 1', annotations: 'map string 2' },
  LinuxContainerResources: {
    cpu_period: 'int64 1',
    cpu_quota: 'int64 2',
    cpu_shares: 'int64 3',
    memory_limit_in_bytes: 'int64 4',
    oom_score_adj: 'int64 5',
    cpuset_cpus: 'string 6',
    cpuset_mems: 'string 7',
    unified: 'map string 9',
    memory_swap_limit_in_bytes: 'int64 10',
  },
  Capability: { add_capabilities: 'repeated string 1', drop_capabilities: 'repeated string 2' },
  LinuxContainerSecurityContext: {
    capabilities: 'Capability 1',
    privileged: 'bool 2',
    namespace_options: 'NamespaceOption 3',
    run_as_user: 'Int64Value 5',
    run_as_username: 'string 6',
    readonly_rootfs: 'bool 7',
    supplemental_groups: 'repeated int64 8',
    no_new_privs: 'bool 11',
    run_as_group: 'Int64Value 12',
    masked_paths: 'repeated string 13',
    readonly_paths: 'repeated string 14',
    seccomp: 'SecurityProfile 15',
    apparmor: 'SecurityProfile 16',
    supplemental_groups_policy: 'SupplementalGroupsPolicy 17',
  },
  LinuxContainerConfig: {
    resources: 'LinuxContainerResources 1',
    security_context: 'LinuxContainerSecurityContext 2',
  },
  ContainerMetadata: { name: 'string 1', attempt: 'uint32 2' },
  Device: { container_path: 'string 1', host_path: 'string 2', permissions: 'string 3' },
  CDIDevice: { name: 'string 1' },
  ContainerConfig: {
    metadata: 'ContainerMetadata 1',
    image: 'ImageSpec 2',
    command: 'repeated string 3',
    args: 'repeated string 4',
    working_dir: 'string 5',
    envs: 'repeated KeyValue 6',
    mounts: 'repeated Mount 7',
    devices: 'repeated Device 8',
    labels: 'map string 9',
    annotations: 'map string 10',
    log_path: 'string 11',
    stdin: 'bool 12',
    stdin_once: 'bool 13',
    tty: 'bool 14',
    linux: 'LinuxContainerConfig 15',
    CDI_devices: 'repeated CDIDevice 17',
  },
  CreateContainerRequest: {
    pod_sandbox_id: 'string 1',
    config: 'ContainerConfig 2',
    sandbox_config: 'PodSandboxConfig 3',
  },
  CreateContainerResponse: { container_id: 'string 1' },
  StartContainerRequest: { container_id: 'string 1' },
  StartContainerResponse: {},
  StopContainerRequest: { container_id: 'string 1', timeout: 'int64 2' },
  StopContainerResponse: {},
  RemoveContainerRequest: { container_id: 'string 1' },
  RemoveContainerResponse: {},
  ContainerStateValue: { state: 'ContainerState 1' },
  ContainerFilter: {
    id: 'string 1',
    state: 'ContainerStateValue 2',
    pod_sandbox_id: 'string 3',
    label_selector: 'map string 4',
  },
  ListContainersRequest: { filter: 'ContainerFilter 1' },
  Container: {
    id: 'string 1',
    pod_sandbox_id: 'string 2',
    metadata: 'ContainerMetadata 3',
    image: 'ImageSpec 4',
    image_ref: 'string 5',
    state: 'ContainerState 6',
    created_at: 'int64 7',
    labels: 'map string 8',
    annotations: 'map string 9',
  },
  ListContainersResponse: { containers: 'repeated Container 1' },
  ContainerStatusRequest: { container_id: 'string 1', verbose: 'bool 2' },
  ContainerStatus: {
    id: 'string 1',
    metadata: 'ContainerMetadata 2',
    state: 'ContainerState 3',
    created_at: 'int64 4',
    started_at: 'int64 5',
    finished_at: 'int64 6',
    exit_code: 'int32 7',
    image: 'ImageSpec 8',
    image_ref: 'string 9',
    reason: 'string 10',
    message: 'string 11',
    labels: 'map string 12',
    annotations: 'map string 13',
    mounts: 'repeated Mount 14',
    log_path: 'string 15',
  },
  ContainerStatusResponse: { status: 'ContainerStatus 1', info: 'map string 2' },
  UpdateContainerResourcesRequest: { container_id: 'string 1', linux: 'LinuxContainerResources 2' },
  UpdateContainerResourcesResponse: {},
  ReopenContainerLogRequest: { container_id: 'string 1' },
  ReopenContainerLogResponse: {},
  ExecRequest: {
    container_id: 'string 1',
    cmd: 'repeated string 2',
    tty: 'bool 3',
    stdin: 'bool 4',
    stdout: 'bool 5',
    stderr: 'bool 6',
  },
  ExecResponse: { url: 'string 1' },
  AttachRequest: {
    container_id: 'string 1',
    stdin: 'bool 2',
    tty: 'bool 3',
    stdout: 'bool 4',
    stderr: 'bool 5',
  },
  AttachResponse: { url: 'string 1' },
  PortForwardRequest: { pod_sandbox_id: 'string 1', port: 'repeated int32 2' },
  PortForwardResponse: { url: 'string 1' },
  ContainerStatsRequest: { container_id: 'string 1' },
  ContainerAttributes: { id: 'string 1', metadata: 'ContainerMetadata 2' },
  CpuUsage: { timestamp: 'int64 1', usage_core_nano_seconds: 'UInt64Value 2' },
  MemoryUsage: { timestamp: 'int64 1', working_set_bytes: 'UInt64Value 2', usage_bytes: 'UInt64Value 4' },
  FilesystemIdentifier: { mountpoint: 'string 1' },
  FilesystemUsage: {
    timestamp: 'int64 1',
    fs_id: 'FilesystemIdentifier 2',
    used_bytes: 'UInt64Value 3',
    inodes_used: 'UInt64Value 4',
  },
  ContainerStats: {
    attributes: 'ContainerAttributes 1',
    cpu: 'CpuUsage 2',
    memory: 'MemoryUsage 3',
    writable_layer: 'FilesystemUsage 4',
  },
  ContainerStatsResponse: { stats: 'ContainerStats 1' },
  GetEventsRequest: {},
  ContainerEventResponse: {
    container_id: 'string 1',
    container_event_type: 'ContainerEventType 2',
    created_at: 'int64 3',
  },
  Image: {
    id: 'string 1',
    repo_tags: 'repeated string 2',
    repo_digests: 'repeated string 3',
    size: 'uint64 4',
    uid: 'Int64Value 5',
    username: 'string 6',
    pinned: 'bool 8',
  },
  ImageFilter: { image: 'ImageSpec 1' },
  ListImagesRequest: { filter: 'ImageFilter 1' },
  ListImagesResponse: { images: 'repeated Image 1' },
  ImageStatusRequest: { image: 'ImageSpec 1', verbose: 'bool 2' },
  ImageStatusResponse: { image: 'Image 1', info: 'map string 2' },
  AuthConfig: { username: 'string 1', password: 'string 2', auth: 'string 3', server_address: 'string 4' },
  PullImageRequest: { image: 'ImageSpec 1', auth: 'AuthConfig 2', sandbox_config: 'PodSandboxConfig 3' },
  PullImageResponse: { image_ref: 'string 1' },
  RemoveImageRequest: { image: 'ImageSpec 1' },
  RemoveImageResponse: {},
  ImageFsInfoRequest: {},
  ImageFsInfoResponse: { image_filesystems: 'repeated FilesystemUsage 1' },
};

const runtimeMethods = [
  'Version',
  'Status',
  'RunPodSandbox',
  'StopPodSandbox',
  'RemovePodSandbox',
  'PodSandboxStatus',
  'ListPodSandbox',
  'CreateContainer',
  'StartContainer',
  'StopContainer',
  'RemoveContainer',
  'ContainerStatus',
  'ListContainers',
  'UpdateContainerResources',
  'ReopenContainerLog',
  'Exec',
  'Attach',
  'PortForward',
  'ContainerStats',
];
/** Methods of the image service. */
export const imageMethods: readonly string[] = [
  'ListImages',
  'ImageStatus',
  'PullImage',
  'RemoveImage',
  'ImageFsInfo',
];

/** The part of `k8s.io/cri-api/pkg/apis/runtime/v1` that is used here, as protobufjs describes a namespace. */
export function criNamespace(): Namespace {
  return {
    nested: {
      runtime: {
        nested: {
          v1: {
            nested: {
              ...mapValues(enums, (names) => ({
                values: Object.fromEntries(names.map((name, number) => [name, number])),
              })),
              ...mapValues(messages, (fields) => ({ fields: mapValues(fields, fieldOf) })),
              RuntimeService: {
                methods: {
                  ...methodsOf(runtimeMethods),
                  GetContainerEvents: {
                    requestType: 'GetEventsRequest',
                    responseType: 'ContainerEventResponse',
                    responseStream: true,
                    comment: '',
                  },
                },
              },
              ImageService: { methods: methodsOf(imageMethods) },
            },
          },
        },
      },
      containerd: containerdEvents,
    },
  };
}

/** containerd's own `services/events/v1`, as far as it says that something has happened. */
const containerdEvents: Namespace = {
  nested: {
    services: {
      nested: {
        events: {
          nested: {
            v1: {
              nested: {
                SubscribeRequest: { fields: { filters: fieldOf('repeated string 1') } },
                Envelope: { fields: { namespace: fieldOf('string 2'), topic: fieldOf('string 3') } },
                Events: {
                  methods: {
                    Subscribe: {
                      requestType: 'SubscribeRequest',
                      responseType: 'Envelope',
                      responseStream: true,
                      comment: '',
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

interface Method {
  readonly requestType: string;
  readonly responseType: string;
  readonly comment: string;
}

function methodsOf(names: readonly string[]): Record<string, Method> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      { requestType: `${name}Request`, responseType: `${name}Response`, comment: '' },
    ]),
  );
}

function fieldOf(text: string): { type: string; id: number; rule?: 'repeated'; keyType?: string } {
  const words = text.split(' ');
  const [type = '', number = ''] = words.slice(-2);
  const field = { type, id: Number(number) };
  if (words[0] === 'map') return { ...field, keyType: 'string' };
  return words[0] === 'repeated' ? { ...field, rule: 'repeated' } : field;
}

function mapValues<In, Out>(
  record: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
