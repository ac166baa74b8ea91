import type { NodeSelectorRequirement, PersistentVolumeSource, VolumeNodeAffinity } from './v1.gen.ts';

/** The order and names of upstream's internal type, which its messages print. */
const kinds: readonly (readonly [string, keyof PersistentVolumeSource])[] = [
  ['GCEPersistentDisk', 'gcePersistentDisk'],
  ['AWSElasticBlockStore', 'awsElasticBlockStore'],
  ['HostPath', 'hostPath'],
  ['Glusterfs', 'glusterfs'],
  ['NFS', 'nfs'],
  ['RBD', 'rbd'],
  ['Quobyte', 'quobyte'],
  ['ISCSI', 'iscsi'],
  ['FlexVolume', 'flexVolume'],
  ['Cinder', 'cinder'],
  ['CephFS', 'cephfs'],
  ['FC', 'fc'],
  ['Flocker', 'flocker'],
  ['AzureFile', 'azureFile'],
  ['VsphereVolume', 'vsphereVolume'],
  ['AzureDisk', 'azureDisk'],
  ['PhotonPersistentDisk', 'photonPersistentDisk'],
  ['PortworxVolume', 'portworxVolume'],
  ['ScaleIO', 'scaleIO'],
  ['Local', 'local'],
  ['StorageOS', 'storageos'],
  ['CSI', 'csi'],
];

/** Sources with every field of the internal type, and what a field is when it is not set. */
const fields: Readonly<Record<string, readonly (readonly [string, string, unknown])[]>> = {
  hostPath: [
    ['Path', 'path', ''],
    ['Type', 'type', null],
  ],
  nfs: [
    ['Server', 'server', ''],
    ['Path', 'path', ''],
    ['ReadOnly', 'readOnly', false],
  ],
  local: [
    ['Path', 'path', ''],
    ['FSType', 'fsType', null],
  ],
  csi: [
    ['Driver', 'driver', ''],
    ['VolumeHandle', 'volumeHandle', ''],
    ['ReadOnly', 'readOnly', false],
    ['FSType', 'fsType', ''],
    ['VolumeAttributes', 'volumeAttributes', null],
    ['ControllerPublishSecretRef', 'controllerPublishSecretRef', null],
    ['NodeStageSecretRef', 'nodeStageSecretRef', null],
    ['NodePublishSecretRef', 'nodePublishSecretRef', null],
    ['ControllerExpandSecretRef', 'controllerExpandSecretRef', null],
    ['NodeExpandSecretRef', 'nodeExpandSecretRef', null],
  ],
};

function capitalised(source: object): object {
  return Object.fromEntries(
    Object.entries(source).map(([name, value]) => [`${name.charAt(0).toUpperCase()}${name.slice(1)}`, value]),
  );
}

function printed(name: string, value: unknown): unknown {
  const secret = value as { readonly name?: string; readonly namespace?: string };
  return name.endsWith('SecretRef') && value
    ? { Name: secret.name ?? '', Namespace: secret.namespace ?? '' }
    : value;
}

/** A volume's source as upstream's internal type prints it in messages about its immutability. */
export function goVolumeSource(spec: PersistentVolumeSource): object {
  return Object.fromEntries(
    kinds.map(([name, kind]) => {
      const source = spec[kind] as Readonly<Record<string, unknown>> | undefined;
      if (!source) return [name, null];
      const known = fields[kind];
      if (!known) return [name, capitalised(source)];
      const values = known.map(([go, json, zero]) => [go, printed(go, source[json]) ?? zero]);
      return [name, Object.fromEntries(values)];
    }),
  );
}

function goRequirements(requirements: readonly NodeSelectorRequirement[] | undefined): object[] | null {
  return (
    requirements?.map(({ key, operator, values }) => ({
      Key: key,
      Operator: operator,
      Values: values ?? null,
    })) ?? null
  );
}

/** The node affinity of a volume as upstream's internal type prints it. */
export function goNodeAffinity(affinity: VolumeNodeAffinity | undefined): object | null {
  if (!affinity) return null;
  const { required } = affinity;
  if (!required) return { Required: null };
  return {
    Required: {
      NodeSelectorTerms: required.nodeSelectorTerms.map(({ matchExpressions, matchFields }) => ({
        MatchExpressions: goRequirements(matchExpressions),
        MatchFields: goRequirements(matchFields),
      })),
    },
  };
}
