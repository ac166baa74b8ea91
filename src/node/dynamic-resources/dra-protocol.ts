import type { RpcService } from '../plugins/rpc-schema.ts';

const messages: RpcService['messages'] = {
  Claim: { namespace: 'string 1', uid: 'string 2', name: 'string 3' },
  Device: {
    request_names: 'repeated string 1',
    pool_name: 'string 2',
    device_name: 'string 3',
    cdi_device_ids: 'repeated string 4',
  },
  NodePrepareResourcesRequest: { claims: 'repeated Claim 1' },
  NodePrepareResourceResponse: { devices: 'repeated Device 1', error: 'string 2' },
  NodePrepareResourcesResponse: { claims: 'map NodePrepareResourceResponse 1' },
  NodeUnprepareResourcesRequest: { claims: 'repeated Claim 1' },
  NodeUnprepareResourceResponse: { error: 'string 1' },
  NodeUnprepareResourcesResponse: { claims: 'map NodeUnprepareResourceResponse 1' },
};

const methods: RpcService['methods'] = {
  NodePrepareResources: ['NodePrepareResourcesRequest', 'NodePrepareResourcesResponse'],
  NodeUnprepareResources: ['NodeUnprepareResourcesRequest', 'NodeUnprepareResourcesResponse'],
};

/** What a node asks of drivers for devices (k8s.io/kubelet dra), by the name under which they say that they speak it; newest first. */
export const draServices: ReadonlyMap<string, RpcService> = new Map(
  ['v1', 'v1beta1'].map((version) => [
    `${version}.DRAPlugin`,
    { name: `k8s.io.kubelet.pkg.apis.dra.${version}.DRAPlugin`, methods, messages },
  ]),
);

/** A claim as drivers are told of it. */
export interface DraClaim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}

/** A device that a driver has prepared. */
export interface DraDevice {
  /** Requests of the claim that it is for; empty: all. */
  readonly request_names: readonly string[];
  readonly pool_name: string;
  readonly device_name: string;
  readonly cdi_device_ids: readonly string[];
}

interface ClaimsRequest {
  readonly claims: readonly DraClaim[];
}

export interface DraCalls {
  readonly NodePrepareResources: readonly [
    ClaimsRequest,
    {
      readonly claims: Readonly<
        Record<string, { readonly devices: readonly DraDevice[]; readonly error: string }>
      >;
    },
  ];
  readonly NodeUnprepareResources: readonly [
    ClaimsRequest,
    { readonly claims: Readonly<Record<string, { readonly error: string }>> },
  ];
}

/** How drivers tell of the health of their devices (k8s.io/kubelet dra-health v1alpha1). */
export const draHealthService: RpcService = {
  name: 'v1alpha1.DRAResourceHealth',
  messages: {
    NodeWatchResourcesRequest: {},
    DeviceIdentifier: { pool_name: 'string 1', device_name: 'string 2' },
    DeviceHealth: {
      device: 'DeviceIdentifier 1',
      health: 'int32 2',
      last_updated_time: 'int64 3',
      health_check_timeout_seconds: 'int64 4',
    },
    NodeWatchResourcesResponse: { devices: 'repeated DeviceHealth 1' },
  },
  methods: { NodeWatchResources: ['NodeWatchResourcesRequest', 'NodeWatchResourcesResponse', 'stream'] },
};

export interface DraHealthCalls {
  readonly NodeWatchResources: readonly [
    object,
    {
      readonly devices: readonly {
        readonly device: { readonly pool_name: string; readonly device_name: string } | null;
        /** 0: unknown, 1: healthy, 2: unhealthy. */
        readonly health: number;
        readonly health_check_timeout_seconds: number;
      }[];
    },
  ];
}
