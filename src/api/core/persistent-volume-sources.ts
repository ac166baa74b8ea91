import { type FieldError, forbidden, invalid, required } from '../../machinery/field-error.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateDriverName } from './pod-spec/driver-name.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { backstepErrors } from './pod-spec/local-path.ts';
import { iscsiNameErrors, validateSourceOfKind } from './pod-spec/validate-volume-sources.ts';
import type {
  CSIPersistentVolumeSource,
  ISCSIPersistentVolumeSource,
  PersistentVolumeSource,
  SecretReference,
  VolumeSource,
} from './v1.gen.ts';

type Kind = keyof PersistentVolumeSource;
type Check<K extends Kind> = (source: NonNullable<PersistentVolumeSource[K]>, field: string) => FieldError[];

const MAX_PORTAL = 64;

/** Sources that a pod's volume has too, checked the same way. */
function shared<K extends Kind & keyof VolumeSource>(kind: K): Check<K> {
  return (source, field) => validateSourceOfKind(kind, { [kind]: source }, field);
}

function secretRef(
  reference: { readonly name?: string; readonly namespace?: string } | undefined,
  field: string,
): FieldError[] {
  if (!reference) return [];
  return [
    ...(reference.name ? [] : [required(`${field}.secretRef.name`)]),
    ...(reference.namespace ? [] : [required(`${field}.secretRef.namespace`)]),
  ];
}

function csiSecret(reference: SecretReference | undefined, field: string): FieldError[] {
  if (!reference) return [];
  const { name = '', namespace = '' } = reference;
  return [
    ...(name
      ? invalidEach(`${field}.name`, name, dns1123SubdomainErrors(name))
      : [required(`${field}.name`)]),
    ...(namespace
      ? invalidEach(`${field}.namespace`, namespace, dns1123LabelErrors(namespace))
      : [required(`${field}.namespace`)]),
  ];
}

function validateCsi(source: CSIPersistentVolumeSource, field: string): FieldError[] {
  return [
    ...validateDriverName(source.driver ?? '', `${field}.driver`),
    ...(source.volumeHandle ? [] : [required(`${field}.volumeHandle`)]),
    ...csiSecret(source.controllerPublishSecretRef, `${field}.controllerPublishSecretRef`),
    ...csiSecret(source.controllerExpandSecretRef, `${field}.controllerExpandSecretRef`),
    ...csiSecret(source.nodePublishSecretRef, `${field}.nodePublishSecretRef`),
    ...csiSecret(source.nodeExpandSecretRef, `${field}.nodeExpandSecretRef`),
  ];
}

function validateIscsi(source: ISCSIPersistentVolumeSource, field: string, volume: string): FieldError[] {
  const { targetPortal, initiatorName, iqn, lun, chapAuthDiscovery, chapAuthSession } = source;
  const errors: FieldError[] = targetPortal ? [] : [required(`${field}.targetPortal`)];
  if (initiatorName !== undefined && `${volume}:${targetPortal}`.length > MAX_PORTAL) {
    const detail =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
    errors.push(invalid(`${field}.targetportal`, targetPortal, detail));
  }
  if (iqn) errors.push(...iscsiNameErrors(iqn, `${field}.iqn`));
  else errors.push(required(`${field}.iqn`));
  if (lun < 0 || lun > 255) errors.push(invalid(`${field}.lun`, lun, 'must be between 0 and 255, inclusive'));
  if ((chapAuthDiscovery || chapAuthSession) && !source.secretRef) {
    errors.push(required(`${field}.secretRef`));
  }
  if (source.secretRef && !source.secretRef.name) errors.push(required(`${field}.secretRef.name`));
  if (initiatorName !== undefined) {
    errors.push(...iscsiNameErrors(initiatorName, `${field}.initiatorname`));
  }
  return errors;
}

const glusterfs: Check<'glusterfs'> = (source, field) => {
  const { endpointsNamespace: namespace } = source;
  const errors: FieldError[] = [];
  if (!source.endpoints) errors.push(required(`${field}.endpoints`));
  if (!source.path) errors.push(required(`${field}.path`));
  if (namespace === undefined) return errors;
  const at = `${field}.endpointsNamespace`;
  return namespace === ''
    ? [
        ...errors,
        invalid(at, namespace, 'if the endpointnamespace is set, it must be a valid namespace name'),
      ]
    : [...errors, ...invalidEach(at, namespace, dns1123LabelErrors(namespace))];
};

const storageos: Check<'storageos'> = (source, field) => {
  const { volumeName, volumeNamespace } = source;
  return [
    ...(volumeName
      ? invalidEach(`${field}.volumeName`, volumeName, dns1123LabelErrors(volumeName))
      : [required(`${field}.volumeName`)]),
    ...(volumeNamespace
      ? invalidEach(`${field}.volumeNamespace`, volumeNamespace, dns1123LabelErrors(volumeNamespace))
      : []),
    ...secretRef(source.secretRef, field),
  ];
};

type Checks = { readonly [K in Kind]-?: Check<K> };

function checksOf(volume: string): Checks {
  return {
    hostPath: shared('hostPath'),
    gcePersistentDisk: shared('gcePersistentDisk'),
    awsElasticBlockStore: shared('awsElasticBlockStore'),
    glusterfs,
    flocker: shared('flocker'),
    nfs: shared('nfs'),
    rbd: ({ monitors, image }, field) => [
      ...(monitors?.length ? [] : [required(`${field}.monitors`)]),
      ...(image ? [] : [required(`${field}.image`)]),
    ],
    quobyte: shared('quobyte'),
    cephfs: ({ monitors }, field) => (monitors?.length ? [] : [required(`${field}.monitors`)]),
    iscsi: (source, field) => validateIscsi(source, field, volume),
    cinder: ({ volumeID, secretRef: reference }, field) => [
      ...(volumeID ? [] : [required(`${field}.volumeID`)]),
      ...secretRef(reference, field),
    ],
    fc: shared('fc'),
    flexVolume: ({ driver, options = {} }, field) =>
      validateSourceOfKind('flexVolume', { flexVolume: { driver, options } }, field),
    azureFile: ({ secretName, shareName, secretNamespace }, field) => [
      ...(secretName ? [] : [required(`${field}.secretName`)]),
      ...(shareName ? [] : [required(`${field}.shareName`)]),
      ...(secretNamespace === '' ? [required(`${field}.secretNamespace`)] : []),
    ],
    vsphereVolume: shared('vsphereVolume'),
    photonPersistentDisk: shared('photonPersistentDisk'),
    portworxVolume: shared('portworxVolume'),
    azureDisk: shared('azureDisk'),
    scaleIO: ({ gateway, system, volumeName }, field) => [
      ...(gateway ? [] : [required(`${field}.gateway`)]),
      ...(system ? [] : [required(`${field}.system`)]),
      ...(volumeName ? [] : [required(`${field}.volumeName`)]),
    ],
    local: ({ path }, field) => (path ? backstepErrors(`${field}.path`, path) : [required(`${field}.path`)]),
    storageos,
    csi: validateCsi,
  };
}

/** Upstream's paths that are not the field's own name. */
const shownAs: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' };
const shownAsSurplus: Readonly<Record<string, string>> = { cephfs: 'cephFS' };

/** Where a volume's path stands, and what it is called. */
export interface VolumeContext {
  readonly field: string;
  readonly name: string;
  readonly hasNodeAffinity: boolean;
}

/** The one source that a volume must have, and its content. */
export function validateVolumeSources(
  spec: PersistentVolumeSource,
  { field, name, hasNodeAffinity }: VolumeContext,
): FieldError[] {
  const checks = checksOf(name);
  const kinds = (Object.keys(checks) as Kind[]).filter((kind) => spec[kind] !== undefined);
  if (kinds.length === 0) return [required(field, 'must specify a volume type')];
  return kinds.flatMap((kind, index) => {
    if (index > 0 && kind !== 'flexVolume') {
      const at = `${field}.${shownAsSurplus[kind] ?? kind}`;
      return [forbidden(at, 'may not specify more than 1 volume type')];
    }
    const check = checks[kind] as (source: unknown, field: string) => FieldError[];
    const errors = check(spec[kind], `${field}.${shownAs[kind] ?? kind}`);
    if (kind === 'local' && !hasNodeAffinity) {
      errors.push(required(`${field}.nodeAffinity`, 'Local volume requires node affinity'));
    }
    return errors;
  });
}
