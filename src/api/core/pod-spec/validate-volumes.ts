import { type FieldError, duplicate, invalid, required } from '../../../machinery/field-error.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../../machinery/validation/names.ts';
import type { Volume, VolumeSource } from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { validateVolumeSource } from './validate-volume-sources.ts';

const portalTooLong =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';

function validateClaimName(volume: Volume, field: string, podName: string | undefined): FieldError[] {
  if (!volume.ephemeral || !podName || !volume.name) return [];
  const claim = `${podName}-${volume.name}`;
  return dns1123SubdomainErrors(claim).map((message) =>
    invalid(`${field}.name`, volume.name, `PVC name "${claim}": ${message}`),
  );
}

function validateOne(volume: Volume, at: string, podName: string | undefined): FieldError[] {
  const errors = validateVolumeSource(volume, at);
  const { name, iscsi } = volume;
  if (iscsi?.initiatorName !== undefined && `${name}:${iscsi.targetPortal}`.length > 64) {
    errors.push(invalid(`${at}.name`, name, portalTooLong));
  }
  // Templates may leave the image to what makes their pods.
  if (podName !== undefined && volume.image && !volume.image.reference)
    errors.push(required(`${at}.image.reference`));
  errors.push(...validateClaimName(volume, at, podName));
  if (!name) return [...errors, required(`${at}.name`)];
  return [...errors, ...invalidEach(`${at}.name`, name, dns1123LabelErrors(name))];
}

/** The pod's volumes: their errors, and the valid ones by name, which containers may mount. */
export function validateVolumes(
  volumes: readonly Volume[],
  field: string,
  podName: string | undefined,
): { errors: FieldError[]; valid: Map<string, VolumeSource> } {
  const valid = new Map<string, VolumeSource>();
  const created = new Set(
    volumes.filter(({ ephemeral }) => podName && ephemeral).map(({ name }) => `${podName}-${name}`),
  );
  const errors = volumes.flatMap((volume, index) => {
    const at = `${field}[${index}]`;
    const found = validateOne(volume, at, podName);
    if (valid.has(volume.name)) found.push(duplicate(`${at}.name`, volume.name));
    if (found.length === 0) valid.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim && created.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume';
      found.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, detail));
    }
    return found;
  });
  return { errors, valid };
}
