import type { RpcService } from '../plugins/rpc-schema.ts';

const csiMessages: RpcService['messages'] = {
  Empty: {},
  Topology: { segments: 'map 1' },
  NodeInfo: { node_id: 'string 1', max_volumes_per_node: 'int64 2', accessible_topology: 'Topology 3' },
  RpcCapability: { type: 'int32 1' },
  NodeCapability: { rpc: 'RpcCapability 1' },
  NodeCapabilities: { capabilities: 'repeated NodeCapability 1' },
  MountAccess: { fs_type: 'string 1', mount_flags: 'repeated string 2', volume_mount_group: 'string 3' },
  AccessMode: { mode: 'int32 1' },
  VolumeCapability: { block: 'Empty 1', mount: 'MountAccess 2', access_mode: 'AccessMode 3' },
  StageRequest: {
    volume_id: 'string 1',
    publish_context: 'map 2',
    staging_target_path: 'string 3',
    volume_capability: 'VolumeCapability 4',
    secrets: 'map 5',
    volume_context: 'map 6',
  },
  UnstageRequest: { volume_id: 'string 1', staging_target_path: 'string 2' },
  PublishRequest: {
    volume_id: 'string 1',
    publish_context: 'map 2',
    staging_target_path: 'string 3',
    target_path: 'string 4',
    volume_capability: 'VolumeCapability 5',
    readonly: 'bool 6',
    secrets: 'map 7',
    volume_context: 'map 8',
  },
  UnpublishRequest: { volume_id: 'string 1', target_path: 'string 2' },
  StatsRequest: { volume_id: 'string 1', volume_path: 'string 2', staging_target_path: 'string 3' },
  VolumeUsage: { available: 'int64 1', total: 'int64 2', used: 'int64 3', unit: 'int32 4' },
  VolumeCondition: { abnormal: 'bool 1', message: 'string 2' },
  Stats: { usage: 'repeated VolumeUsage 1', volume_condition: 'VolumeCondition 2' },
  CapacityRange: { required_bytes: 'int64 1', limit_bytes: 'int64 2' },
  ExpandRequest: {
    volume_id: 'string 1',
    volume_path: 'string 2',
    capacity_range: 'CapacityRange 3',
    staging_target_path: 'string 4',
    volume_capability: 'VolumeCapability 5',
    secrets: 'map 6',
  },
  ExpandResponse: { capacity_bytes: 'int64 1' },
};

/** What a node asks of CSI drivers (container-storage-interface 1.x). */
export const nodeService: RpcService = {
  name: 'csi.v1.Node',
  messages: csiMessages,
  choices: { VolumeCapability: ['block', 'mount'] },
  methods: {
    NodeGetInfo: ['Empty', 'NodeInfo'],
    NodeGetCapabilities: ['Empty', 'NodeCapabilities'],
    NodeStageVolume: ['StageRequest', 'Empty'],
    NodeUnstageVolume: ['UnstageRequest', 'Empty'],
    NodePublishVolume: ['PublishRequest', 'Empty'],
    NodeUnpublishVolume: ['UnpublishRequest', 'Empty'],
    NodeGetVolumeStats: ['StatsRequest', 'Stats'],
    NodeExpandVolume: ['ExpandRequest', 'ExpandResponse'],
  },
};

/** What a driver's node service can do beyond publishing (`NodeServiceCapability.RPC.Type`). */
export const nodeAbility: Readonly<
  Record<'stage' | 'stats' | 'expand' | 'condition' | 'singleNodeMultiWriter' | 'mountGroup', number>
> = { stage: 1, stats: 2, expand: 3, condition: 4, singleNodeMultiWriter: 5, mountGroup: 6 };

/** Strings by name, as contexts and secrets are sent. */
export type StringMap = Readonly<Record<string, string>>;

export interface NodeInfo {
  readonly node_id: string;
  readonly max_volumes_per_node: number;
  readonly accessible_topology: { readonly segments: StringMap } | null;
}

export interface VolumeCapability {
  readonly mount?: {
    readonly fs_type: string;
    readonly mount_flags: readonly string[];
    readonly volume_mount_group?: string;
  };
  readonly block?: Readonly<Record<string, never>>;
  readonly access_mode: { readonly mode: number };
}

/** By method: what is sent and what comes back. */
export interface CsiCalls {
  readonly NodeGetInfo: readonly [object, NodeInfo];
  readonly NodeGetCapabilities: readonly [
    object,
    { readonly capabilities: readonly { readonly rpc: { readonly type: number } | null }[] },
  ];
  readonly NodeStageVolume: readonly [
    {
      readonly volume_id: string;
      readonly publish_context: StringMap;
      readonly staging_target_path: string;
      readonly volume_capability: VolumeCapability;
      readonly secrets: StringMap;
      readonly volume_context: StringMap;
    },
    object,
  ];
  readonly NodeUnstageVolume: readonly [
    { readonly volume_id: string; readonly staging_target_path: string },
    object,
  ];
  readonly NodePublishVolume: readonly [
    {
      readonly volume_id: string;
      readonly publish_context: StringMap;
      readonly staging_target_path: string;
      readonly target_path: string;
      readonly volume_capability: VolumeCapability;
      readonly readonly: boolean;
      readonly secrets: StringMap;
      readonly volume_context: StringMap;
    },
    object,
  ];
  readonly NodeUnpublishVolume: readonly [
    { readonly volume_id: string; readonly target_path: string },
    object,
  ];
  readonly NodeGetVolumeStats: readonly [
    { readonly volume_id: string; readonly volume_path: string; readonly staging_target_path: string },
    {
      readonly usage: readonly {
        readonly available: number;
        readonly total: number;
        readonly used: number;
        readonly unit: number;
      }[];
    },
  ];
  readonly NodeExpandVolume: readonly [
    {
      readonly volume_id: string;
      readonly volume_path: string;
      readonly staging_target_path: string;
      readonly capacity_range: { readonly required_bytes: number };
      readonly volume_capability: VolumeCapability;
      readonly secrets: StringMap;
    },
    { readonly capacity_bytes: number },
  ];
}
