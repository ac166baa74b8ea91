import type { RpcService } from '../plugins/rpc-schema.ts';

/** The version that plug-ins and nodes speak. */
export const DEVICE_PLUGIN_VERSION = 'v1beta1';

/** How a plug-in asks the node to use it. */
export const devicePluginRegistration: RpcService = {
  name: 'v1beta1.Registration',
  messages: {
    Empty: {},
    DevicePluginOptions: { pre_start_required: 'bool 1', get_preferred_allocation_available: 'bool 2' },
    RegisterRequest: {
      version: 'string 1',
      endpoint: 'string 2',
      resource_name: 'string 3',
      options: 'DevicePluginOptions 4',
    },
  },
  methods: { Register: ['RegisterRequest', 'Empty'] },
};

/** What a node asks of a plug-in. */
export const devicePluginService: RpcService = {
  name: 'v1beta1.DevicePlugin',
  messages: {
    Empty: {},
    DevicePluginOptions: { pre_start_required: 'bool 1', get_preferred_allocation_available: 'bool 2' },
    Device: { ID: 'string 1', health: 'string 2' },
    ListAndWatchResponse: { devices: 'repeated Device 1' },
    ContainerPreferredAllocationRequest: {
      available_deviceIDs: 'repeated string 1',
      must_include_deviceIDs: 'repeated string 2',
      allocation_size: 'int32 3',
    },
    PreferredAllocationRequest: { container_requests: 'repeated ContainerPreferredAllocationRequest 1' },
    ContainerPreferredAllocationResponse: { deviceIDs: 'repeated string 1' },
    PreferredAllocationResponse: { container_responses: 'repeated ContainerPreferredAllocationResponse 1' },
    ContainerAllocateRequest: { devices_ids: 'repeated string 1' },
    AllocateRequest: { container_requests: 'repeated ContainerAllocateRequest 1' },
    CDIDevice: { name: 'string 1' },
    Mount: { container_path: 'string 1', host_path: 'string 2', read_only: 'bool 3' },
    DeviceSpec: { container_path: 'string 1', host_path: 'string 2', permissions: 'string 3' },
    ContainerAllocateResponse: {
      envs: 'map 1',
      mounts: 'repeated Mount 2',
      devices: 'repeated DeviceSpec 3',
      annotations: 'map 4',
      cdi_devices: 'repeated CDIDevice 5',
    },
    AllocateResponse: { container_responses: 'repeated ContainerAllocateResponse 1' },
    PreStartContainerRequest: { devices_ids: 'repeated string 1' },
    PreStartContainerResponse: {},
  },
  methods: {
    GetDevicePluginOptions: ['Empty', 'DevicePluginOptions'],
    ListAndWatch: ['Empty', 'ListAndWatchResponse', 'stream'],
    GetPreferredAllocation: ['PreferredAllocationRequest', 'PreferredAllocationResponse'],
    Allocate: ['AllocateRequest', 'AllocateResponse'],
    PreStartContainer: ['PreStartContainerRequest', 'PreStartContainerResponse'],
  },
};

export interface DevicePluginOptions {
  readonly pre_start_required: boolean;
  readonly get_preferred_allocation_available: boolean;
}

export interface RegisterRequest {
  readonly version: string;
  /** The name of its socket in the node's `device-plugins`. */
  readonly endpoint: string;
  readonly resource_name: string;
  readonly options: DevicePluginOptions | null;
}

/** What a container gets for devices of one resource. */
export interface AllocateResponse {
  readonly envs: Readonly<Record<string, string>>;
  readonly mounts: readonly {
    readonly container_path: string;
    readonly host_path: string;
    readonly read_only: boolean;
  }[];
  readonly devices: readonly {
    readonly container_path: string;
    readonly host_path: string;
    readonly permissions: string;
  }[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly cdi_devices: readonly { readonly name: string }[];
}

export interface DevicePluginCalls {
  readonly GetDevicePluginOptions: readonly [object, DevicePluginOptions];
  readonly ListAndWatch: readonly [
    object,
    { readonly devices: readonly { readonly ID: string; readonly health: string }[] },
  ];
  readonly GetPreferredAllocation: readonly [
    {
      readonly container_requests: readonly {
        readonly available_deviceIDs: readonly string[];
        readonly must_include_deviceIDs: readonly string[];
        readonly allocation_size: number;
      }[];
    },
    { readonly container_responses: readonly { readonly deviceIDs: readonly string[] }[] },
  ];
  readonly Allocate: readonly [
    { readonly container_requests: readonly { readonly devices_ids: readonly string[] }[] },
    { readonly container_responses: readonly AllocateResponse[] },
  ];
  readonly PreStartContainer: readonly [{ readonly devices_ids: readonly string[] }, object];
}
