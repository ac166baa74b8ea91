import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../../machinery/field-error.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  rangeMessage,
} from '../../../machinery/validation/names.ts';
import type {
  AzureDiskVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  ISCSIVolumeSource,
  VolumeSource,
} from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { backstepErrors, descendingPathErrors } from './local-path.ts';
import { compareQuantities } from './quantities.ts';
import { validateClaimTemplate } from './validate-claim-spec.ts';
import { validatePullPolicy } from './validate-containers.ts';
import { fileModeErrors, validateDownwardFile } from './validate-downward.ts';
import { validateKeyToPath, validateProjected } from './validate-projected.ts';

type Check<K extends keyof VolumeSource> = (
  source: NonNullable<VolumeSource[K]>,
  field: string,
) => FieldError[];

/** Sources that only need some texts to be set. */
function needs<T extends object>(
  ...names: readonly (keyof T & string)[]
): (source: T, field: string) => FieldError[] {
  return (source, field) =>
    names.filter((name) => !isFilled(source[name])).map((name) => required(`${field}.${name}`));
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function partitionErrors(partition: number | undefined, field: string): FieldError[] {
  const given = partition ?? 0;
  return given >= 0 && given <= 255 ? [] : [invalid(`${field}.partition`, given, rangeMessage(1, 255))];
}

function lunErrors(lun: number | undefined, field: string): FieldError[] {
  const given = lun ?? 0;
  return given >= 0 && given <= 255 ? [] : [invalid(`${field}.lun`, given, rangeMessage(0, 255))];
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const hostPath: Check<'hostPath'> = (source, field) => {
  if (!source.path) return [required(`${field}.path`)];
  const type: string | undefined = source.type;
  return [
    ...backstepErrors(`${field}.path`, source.path),
    ...(type === undefined || hostPathTypes.includes(type)
      ? []
      : [notSupported(`${field}.type`, type, hostPathTypes)]),
  ];
};

const iscsiNames = [
  /^iqn.*iqn\.\d{4}-\d{2}\.[a-zA-Z0-9.-]+:[^,;*&$|\s]+$|^iqn\.\d{4}-\d{2}\.[a-zA-Z0-9.-]+:[^,;*&$|\s]+$/,
  /^eui.[a-zA-Z0-9]{16}$/,
  /^naa.[a-zA-Z0-9]{32}$/,
];

/** The name of an iSCSI initiator or target. */
export function iscsiNameErrors(name: string, field: string): FieldError[] {
  if (!/^(iqn|eui|naa)/.test(name)) {
    return [invalid(field, name, 'must be valid format starting with iqn, eui, or naa')];
  }
  return iscsiNames.some((pattern) => pattern.test(name))
    ? []
    : [invalid(field, name, 'must be valid format')];
}

function validateIscsi(source: ISCSIVolumeSource, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!source.targetPortal) errors.push(required(`${field}.targetPortal`));
  if (!source.iqn) errors.push(required(`${field}.iqn`));
  else errors.push(...iscsiNameErrors(source.iqn, `${field}.iqn`));
  errors.push(...lunErrors(source.lun, field));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) {
    errors.push(required(`${field}.secretRef`));
  }
  if (source.initiatorName !== undefined) {
    errors.push(...iscsiNameErrors(source.initiatorName, `${field}.initiatorname`));
  }
  return errors;
}

function validateFibreChannel(source: FCVolumeSource, field: string): FieldError[] {
  const { targetWWNs = [], wwids = [], lun } = source;
  const errors: FieldError[] = [];
  const at = `${field}.targetWWNs`;
  if (targetWWNs.length + wwids.length === 0) {
    errors.push(required(at, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    errors.push(invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (targetWWNs.length > 0) {
    if (lun === undefined)
      errors.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
    else errors.push(...lunErrors(lun, field));
  }
  return errors;
}

function validateAzureDisk(source: AzureDiskVolumeSource, field: string): FieldError[] {
  const errors = needs<AzureDiskVolumeSource>('diskName', 'diskURI')(source, field);
  const caching: string | undefined = source.cachingMode;
  const kind: string | undefined = source.kind;
  const uri = source.diskURI ?? '';
  if (caching !== undefined && !['None', 'ReadOnly', 'ReadWrite'].includes(caching)) {
    errors.push(notSupported(`${field}.cachingMode`, caching, ['None', 'ReadOnly', 'ReadWrite']));
  }
  if (kind === undefined) return errors;
  if (!['Dedicated', 'Managed', 'Shared'].includes(kind)) {
    errors.push(notSupported(`${field}.kind`, kind, ['Dedicated', 'Managed', 'Shared']));
  }
  if (kind === 'Managed' && !uri.startsWith('/subscriptions/')) {
    errors.push(
      notSupported(`${field}.diskURI`, uri, [
        '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}',
      ]),
    );
  }
  if (kind !== 'Managed' && !uri.startsWith('https://')) {
    errors.push(
      notSupported(`${field}.diskURI`, uri, [
        'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd',
      ]),
    );
  }
  return errors;
}

function validateCsi(source: CSIVolumeSource, field: string): FieldError[] {
  const { driver, nodePublishSecretRef: secret } = source;
  const errors: FieldError[] = [];
  if (!driver) return [required(`${field}.driver`)];
  if (driver.length > 63) errors.push(tooLong(`${field}.driver`, 63));
  errors.push(...invalidEach(`${field}.driver`, driver, dns1123SubdomainErrors(driver.toLowerCase())));
  if (secret && !secret.name) errors.push(required(`${field}.nodePublishSecretRef.name`));
  else if (secret?.name) {
    errors.push(...invalidEach(`${field}.name`, secret.name, dns1123SubdomainErrors(secret.name)));
  }
  return errors;
}

const flexVolume: Check<'flexVolume'> = (source, field) => [
  ...(source.driver ? [] : [required(`${field}.driver`)]),
  ...Object.keys(source.options ?? {})
    .filter((key) => /\.(kubernetes|k8s)\.io$/.test(`.${(key.split('/')[0] ?? '').toLowerCase()}`))
    .map((key) =>
      invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'),
    ),
];

const flocker: Check<'flocker'> = (source, field) => {
  const { datasetName = '', datasetUUID = '' } = source;
  const errors: FieldError[] = [];
  if (!datasetName && !datasetUUID) {
    errors.push(required(field, 'one of datasetName and datasetUUID is required'));
  }
  if (datasetName && datasetUUID) {
    errors.push(
      invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'),
    );
  }
  if (datasetName.includes('/')) {
    errors.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"));
  }
  return errors;
};

const quobyte: Check<'quobyte'> = (source, field) => {
  const words = 'must be a host:port pair or multiple pairs separated by commas';
  const errors: FieldError[] = [];
  if (!source.registry) errors.push(required(`${field}.registry`, words));
  else if ((source.tenant ?? '').length >= 65) {
    errors.push(required(`${field}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'));
  } else {
    for (const pair of source.registry.split(',')) {
      if (!/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair)) {
        errors.push(invalid(`${field}.registry`, source.registry, words));
      }
    }
  }
  return source.volume ? errors : [...errors, required(`${field}.volume`)];
};

const storageos: Check<'storageos'> = (source, field) => {
  const { volumeName, volumeNamespace, secretRef } = source;
  const errors: FieldError[] = [];
  if (volumeName)
    errors.push(...invalidEach(`${field}.volumeName`, volumeName, dns1123LabelErrors(volumeName)));
  else errors.push(required(`${field}.volumeName`));
  if (volumeNamespace) {
    errors.push(
      ...invalidEach(`${field}.volumeNamespace`, volumeNamespace, dns1123LabelErrors(volumeNamespace)),
    );
  }
  if (secretRef && !secretRef.name) errors.push(required(`${field}.secretRef.name`));
  return errors;
};

type Checks = { readonly [K in keyof VolumeSource]-?: Check<K> };

const checks: Checks = {
  emptyDir: ({ sizeLimit }, field) =>
    sizeLimit !== undefined && compareQuantities(sizeLimit, '0') < 0
      ? [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath,
  gitRepo: (source, field) => [
    ...needs<typeof source>('repository')(source, field),
    ...descendingPathErrors(`${field}.directory`, source.directory ?? ''),
  ],
  gcePersistentDisk: (source, field) => [
    ...needs<typeof source>('pdName')(source, field),
    ...partitionErrors(source.partition, field),
  ],
  awsElasticBlockStore: (source, field) => [
    ...needs<typeof source>('volumeID')(source, field),
    ...partitionErrors(source.partition, field),
  ],
  secret: (source, field) => [
    ...needs<typeof source>('secretName')(source, field),
    ...fileModeErrors(`${field}.defaultMode`, source.defaultMode),
    ...(source.items ?? []).flatMap((item, index) => validateKeyToPath(item, `${field}.items[${index}]`)),
  ],
  nfs: (source, field) => [
    ...needs<typeof source>('server', 'path')(source, field),
    ...(source.path?.startsWith('/')
      ? []
      : [invalid(`${field}.path`, source.path ?? '', 'must be an absolute path')]),
  ],
  iscsi: validateIscsi,
  glusterfs: needs('endpoints', 'path'),
  flocker,
  persistentVolumeClaim: needs('claimName'),
  rbd: needs('monitors', 'image'),
  cinder: (source, field) => [
    ...needs<typeof source>('volumeID')(source, field),
    ...(source.secretRef && !source.secretRef.name ? [required(`${field}.secretRef.name`)] : []),
  ],
  cephfs: needs('monitors'),
  quobyte,
  downwardAPI: (source, field) => [
    ...fileModeErrors(`${field}.defaultMode`, source.defaultMode),
    ...(source.items ?? []).flatMap((file) => validateDownwardFile(file, field)),
  ],
  fc: validateFibreChannel,
  flexVolume,
  configMap: (source, field) => [
    ...needs<typeof source>('name')(source, field),
    ...fileModeErrors(`${field}.defaultMode`, source.defaultMode),
    ...(source.items ?? []).flatMap((item, index) => validateKeyToPath(item, `${field}.items[${index}]`)),
  ],
  azureFile: needs('secretName', 'shareName'),
  vsphereVolume: needs('volumePath'),
  photonPersistentDisk: needs('pdID'),
  portworxVolume: needs('volumeID'),
  azureDisk: validateAzureDisk,
  storageos,
  projected: validateProjected,
  scaleIO: needs('gateway', 'system', 'volumeName'),
  csi: validateCsi,
  ephemeral: (source, field) =>
    source.volumeClaimTemplate
      ? validateClaimTemplate(source.volumeClaimTemplate, `${field}.volumeClaimTemplate`)
      : [required(`${field}.volumeClaimTemplate`)],
  image: (source, field) => validatePullPolicy(source.pullPolicy ?? '', `${field}.pullPolicy`),
};

/** Upstream's paths that are not the field's own name. */
const shownAs: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' };
const shownAsSurplus: Readonly<Record<string, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

/** The content of one source of a pod's volume; `field` is the source's own path. */
export function validateSourceOfKind(
  kind: keyof VolumeSource,
  volume: VolumeSource,
  field: string,
): FieldError[] {
  const validate = checks[kind] as (source: unknown, field: string) => FieldError[];
  return validate(volume[kind], field);
}

/** The one source that a volume must have, and its content. */
export function validateVolumeSource(volume: VolumeSource, field: string): FieldError[] {
  const kinds = (Object.keys(checks) as (keyof VolumeSource)[]).filter((kind) => volume[kind] !== undefined);
  if (kinds.length === 0) return [required(field, 'must specify a volume type')];
  return kinds.flatMap((kind, index) => {
    if (index === 0) return validateSourceOfKind(kind, volume, `${field}.${shownAs[kind] ?? kind}`);
    return [forbidden(`${field}.${shownAsSurplus[kind] ?? kind}`, 'may not specify more than 1 volume type')];
  });
}
