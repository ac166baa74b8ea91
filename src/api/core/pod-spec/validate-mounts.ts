import {
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import type { Container, VolumeDevice, VolumeMount, VolumeSource } from '../v1.gen.ts';
import { backstepErrors, descendingPathErrors } from './local-path.ts';

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const recursions = ['Disabled', 'Enabled', 'IfPossible'];

function validatePropagation(mount: VolumeMount, field: string, container: Container): FieldError[] {
  const mode: string | undefined = mount.mountPropagation;
  if (mode === undefined) return [];
  if (!propagations.includes(mode)) return [notSupported(field, mode, propagations)];
  if (mode !== 'Bidirectional' || container.securityContext?.privileged) return [];
  return [forbidden(field, 'Bidirectional mount propagation is available only to privileged containers')];
}

function validateRecursion(mount: VolumeMount, field: string): FieldError[] {
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === 'Disabled') return [];
  if (!recursions.includes(mode)) return [notSupported(field, mode, recursions)];
  const errors: FieldError[] = [];
  if (!mount.readOnly) errors.push(forbidden(field, 'may only be specified when readOnly is true'));
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    const detail = 'may only be specified when mountPropagation is None or not specified';
    errors.push(forbidden(field, detail));
  }
  return errors;
}

function validateSubPaths(mount: VolumeMount, at: string, list: string): FieldError[] {
  const errors: FieldError[] = [];
  if (mount.subPath) errors.push(...descendingPathErrors(`${list}.subPath`, mount.subPath));
  if (mount.subPathExpr) {
    if (mount.subPath) {
      const detail = 'subPathExpr and subPath are mutually exclusive';
      errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, detail));
    }
    errors.push(...descendingPathErrors(`${list}.subPathExpr`, mount.subPathExpr));
  }
  return errors;
}

/** The mounts of a container, against the pod's valid volumes and the container's block devices. */
export function validateMounts(
  container: Container,
  field: string,
  volumes: ReadonlyMap<string, VolumeSource>,
): FieldError[] {
  const errors: FieldError[] = [];
  const devices = container.volumeDevices ?? [];
  const paths = new Set<string>();
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${field}[${index}]`;
    const { name, mountPath } = mount;
    if (!name) errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (!mountPath) errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
    }
    errors.push(
      ...validateSubPaths(mount, at, field),
      ...validatePropagation(mount, `${field}.mountPropagation`, container),
      ...validateRecursion(mount, `${field}.recursiveReadOnly`),
    );
  }
  return errors;
}

function validateDevice(device: VolumeDevice, at: string, source: VolumeSource | undefined): FieldError[] {
  const errors: FieldError[] = [];
  if (source && !source.persistentVolumeClaim && !source.ephemeral) {
    const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
    errors.push(invalid(`${at}.name`, device.name, detail));
  }
  if (!source) errors.push(notFound(`${at}.name`, device.name));
  if (!device.devicePath) errors.push(required(`${at}.devicePath`));
  return errors;
}

/** The block devices of a container, against the pod's valid volumes and the container's mounts. */
export function validateDevices(
  container: Container,
  field: string,
  volumes: ReadonlyMap<string, VolumeSource>,
): FieldError[] {
  const errors: FieldError[] = [];
  const mounts = container.volumeMounts ?? [];
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [index, device] of (container.volumeDevices ?? []).entries()) {
    const at = `${field}[${index}]`;
    const { name, devicePath } = device;
    if (!name) errors.push(required(`${at}.name`));
    if (names.has(name)) errors.push(invalid(`${at}.name`, name, 'must be unique'));
    errors.push(...validateDevice({ name, devicePath }, at, volumes.get(name)));
    if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    if (backstepErrors(at, devicePath).length > 0) {
      errors.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
    }
    if (mounts.some((mount) => mount.mountPath === devicePath)) {
      errors.push(
        invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'),
      );
    }
    if (name) names.add(name);
  }
  return errors;
}
