import { type FieldError, forbidden, invalid } from '../../machinery/field-error.ts';
import type { ObjectMeta } from '../../machinery/meta/v1.gen.ts';
import { containersWithPaths } from './pod-spec/validate-windows.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { AppArmorProfile, Pod, PodSpec } from './v1.gen.ts';

const mirror = 'kubernetes.io/config.mirror';
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';
const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

function validateAppArmor(
  annotations: Readonly<Record<string, string>>,
  spec: PodSpec,
  field: string,
): FieldError[] {
  const names = new Set(containersWithPaths(spec, '').map(([{ name }]) => name));
  return Object.keys(annotations)
    .sort()
    .filter((key) => key.startsWith(appArmorPrefix))
    .flatMap((key) => {
      const container = key.slice(appArmorPrefix.length);
      const profile = annotations[key] ?? '';
      const at = `${field}[${key}]`;
      const known =
        ['', 'runtime/default', 'unconfined'].includes(profile) || profile.startsWith('localhost/');
      return [
        ...(names.has(container) ? [] : [invalid(at, container, 'container not found')]),
        ...(known ? [] : [invalid(at, profile, `invalid AppArmor profile name: "${profile}"`)]),
      ];
    });
}

/** Gives containers the AppArmor profiles of the pod's old annotations, where they have none of their own. */
export function applyAppArmorAnnotations({ metadata, spec }: DeepMutable<Pod>): void {
  if (spec.os?.name === 'windows') return;
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  for (const container of all) {
    const annotation = metadata.annotations?.[`${appArmorPrefix}${container.name}`];
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue;
    const profile = profileOf(annotation);
    if (!profile || sameProfile(profile, spec.securityContext?.appArmorProfile)) continue;
    container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  }
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' };
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' };
  const name = /^localhost\/(.+)$/.exec(annotation)?.[1];
  return name !== undefined && name === name.trim() && name.length <= 4095
    ? { type: 'Localhost', localhostProfile: name }
    : undefined;
}

function sameProfile(one: AppArmorProfile, other: AppArmorProfile | undefined): boolean {
  return other?.type === one.type && other.localhostProfile === one.localhostProfile;
}

function isInt32(text: string): boolean {
  const value = Number(text);
  return /^(0|-?[1-9][0-9]*)$/.test(text) && value >= -2_147_483_648 && value <= 2_147_483_647;
}

/** What annotations of pods and templates mean to Kubernetes; `field` is the path of the annotations. */
export function validatePodAnnotations(
  metadata: ObjectMeta | undefined,
  spec: PodSpec,
  field: string,
): FieldError[] {
  const annotations = metadata?.annotations ?? {};
  const errors: FieldError[] = [];
  const mirrored = annotations[mirror];
  if (mirrored !== undefined && !spec.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set';
    errors.push(invalid(`${field}[${mirror}]`, mirrored, detail));
  }
  const cost = annotations[deletionCost];
  if (cost !== undefined && !isInt32(cost)) {
    errors.push(invalid(`${field}[${deletionCost}]`, cost, 'must be a 32bit integer'));
  }
  return [...errors, ...validateAppArmor(annotations, spec, field)];
}

function isProtected(key: string): string | undefined {
  if (key.startsWith(appArmorPrefix)) return 'AppArmor annotations';
  return key === mirror ? 'mirror pod annotation' : undefined;
}

/** Annotations that a pod keeps for life. */
export function validateAnnotationChanges(next: ObjectMeta, old: ObjectMeta): FieldError[] {
  const before = old.annotations ?? {};
  const after = next.annotations ?? {};
  const errors: FieldError[] = [];
  for (const key of Object.keys(before).sort()) {
    const what = isProtected(key);
    if (what && after[key] !== before[key]) {
      errors.push(forbidden(`metadata.annotations[${key}]`, `may not remove or update ${what}`));
    }
  }
  for (const key of Object.keys(after).sort()) {
    const what = isProtected(key);
    if (what && !Object.hasOwn(before, key)) {
      errors.push(forbidden(`metadata.annotations[${key}]`, `may not add ${what}`));
    }
  }
  return errors;
}
