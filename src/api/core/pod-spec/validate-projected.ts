import { type FieldError, forbidden, invalid, required } from '../../../machinery/field-error.ts';
import type { KeyToPath, ProjectedVolumeSource, VolumeProjection } from '../v1.gen.ts';
import { nonReservedPathErrors } from './local-path.ts';
import { fileModeErrors, validateDownwardFile } from './validate-downward.ts';

/** Which key of a config map or secret becomes which file. */
export function validateKeyToPath(item: KeyToPath, field: string): FieldError[] {
  return [
    ...(item.key ? [] : [required(`${field}.key`)]),
    ...(item.path ? [] : [required(`${field}.path`)]),
    ...nonReservedPathErrors(`${field}.path`, item.path ?? ''),
    ...fileModeErrors(`${field}.mode`, item.mode),
  ];
}

type Claim = (path: string, shown: string) => FieldError[];

function validateItems(
  source: { readonly name?: string; readonly items?: readonly KeyToPath[] },
  field: string,
  claim: Claim,
): FieldError[] {
  return [
    ...(source.name ? [] : [required(`${field}.name`)]),
    ...(source.items ?? []).flatMap((item, index) => [
      ...validateKeyToPath(item, `${field}.items[${index}]`),
      ...(item.path ? claim(item.path, source.name ?? '') : []),
    ]),
  ];
}

function validateToken(source: VolumeProjection, field: string, volume: string): FieldError[] {
  const token = source.serviceAccountToken;
  if (!token) return [];
  const errors: FieldError[] = [];
  const { expirationSeconds = 0, path } = token;
  if (expirationSeconds < 600) {
    const detail = 'may not specify a duration less than 10 minutes';
    errors.push(invalid(`${field}.expirationSeconds`, expirationSeconds, detail));
  }
  if (expirationSeconds > 2 ** 32) {
    const detail = 'may not specify a duration larger than 2^32 seconds';
    errors.push(invalid(`${field}.expirationSeconds`, expirationSeconds, detail));
  }
  if (!path) return [...errors, required(`${volume}.path`)];
  return [...errors, ...nonReservedPathErrors(`${volume}.path`, path)];
}

function validateSource(source: VolumeProjection, at: string, volume: string, claim: Claim): FieldError[] {
  const errors: FieldError[] = [];
  const { secret, configMap, downwardAPI, serviceAccountToken } = source;
  if (secret) errors.push(...validateItems(secret, `${at}.secret`, claim));
  if (configMap) errors.push(...validateItems(configMap, `${at}.configMap`, claim));
  for (const file of downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, `${at}.downwardAPI`));
    if (file.path) errors.push(...claim(file.path, file.path));
  }
  errors.push(...validateToken(source, `${at}.serviceAccountToken`, volume));
  const given = [secret, configMap, downwardAPI, serviceAccountToken];
  if (given.filter(Boolean).length > 1) {
    errors.push(forbidden(at, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

/** A volume put together from several sources, whose files may not collide. */
export function validateProjected(projected: ProjectedVolumeSource, field: string): FieldError[] {
  const taken = new Set<string>();
  const claim: Claim = (path, shown) => {
    if (taken.has(path)) return [invalid(field, shown, 'conflicting duplicate paths')];
    taken.add(path);
    return [];
  };
  return [
    ...fileModeErrors(`${field}.defaultMode`, projected.defaultMode),
    ...(projected.sources ?? []).flatMap((source, index) =>
      validateSource(source, `${field}.sources[${index}]`, field, claim),
    ),
  ];
}
