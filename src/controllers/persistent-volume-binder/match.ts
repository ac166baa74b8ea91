import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { compareQuantities, parseQuantity, type Quantity } from '../../machinery/quantity.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { classNameOf, isMeantFor } from './claim-state.ts';

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

/** Whether a claim may be bound here and now, or has to wait for a pod that uses it (volumes meant for it excepted). */
export type MatchMode = 'now' | 'first-consumer';

/**
 * The volume that a claim is best bound to: one that names the claim; else, of the free ones that fit, the smallest of
 * those with the fewest access modes more than were asked for. Ties go to the name that sorts first.
 */
export function findMatch(claim: Claim, volumes: readonly Volume[], mode: MatchMode): Volume | undefined {
  let best: Volume | undefined;
  for (const volume of volumes) {
    if (volume.spec.claimRef ? !isMeantFor(volume, claim) : mode === 'first-consumer') continue;
    if (!fitsShape(claim, volume)) continue;
    if (volume.spec.claimRef) {
      if (!best?.spec.claimRef || isBetter(volume, best)) best = volume;
    } else if (isFree(claim, volume) && !best?.spec.claimRef && (!best || isBetter(volume, best)))
      best = volume;
  }
  return best;
}

/** Whether a volume that names nobody could serve a claim. */
export function suits(claim: Claim, volume: Volume): boolean {
  return fitsShape(claim, volume) && isFree(claim, volume);
}

/** What upstream asks of any volume: modes, size, and that it is not being deleted. */
function fitsShape(claim: Claim, volume: Volume): boolean {
  return (
    volume.metadata.deletionTimestamp === undefined &&
    offersModes(claim, volume) &&
    isLargeEnough(claim, volume) &&
    sameVolumeMode(claim, volume) &&
    sameAttributes(claim, volume)
  );
}

function isFree(claim: Claim, volume: Volume): boolean {
  return (
    volume.status?.phase === 'Available' &&
    classNameOf(volume) === classNameOf(claim) &&
    (!claim.spec.selector || selectorMatches(selectorFrom(claim.spec.selector), volume.metadata.labels))
  );
}

function offersModes(claim: Claim, volume: Volume): boolean {
  return (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode));
}

function isBetter(a: Volume, b: Volume): boolean {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0);
  if (modes !== 0) return modes < 0;
  const size = compareQuantities(sizeOf(a), sizeOf(b));
  return size === 0 ? a.metadata.name < b.metadata.name : size < 0;
}

function sizeOf({ spec }: Volume): Quantity {
  return parseQuantity(spec.capacity?.['storage'] ?? '0');
}

/** Whether both are file systems, or both raw devices. */
export function sameVolumeMode(claim: Claim, volume: Volume): boolean {
  return (claim.spec.volumeMode ?? 'Filesystem') === (volume.spec.volumeMode ?? 'Filesystem');
}

/** In upstream's words why a claim cannot have the volume that it names; undefined when it can. */
export function mismatchOf(claim: Claim, volume: Volume): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (!isLargeEnough(claim, volume)) return 'requested PV is too small';
  if (classNameOf(claim) !== classNameOf(volume)) return 'storageClassName does not match';
  if (!sameVolumeMode(claim, volume)) return 'incompatible volumeMode';
  if (!sameAttributes(claim, volume)) return 'VolumeAttributesClassName does not match';
  return offersModes(claim, volume) ? undefined : 'incompatible accessMode';
}

function isLargeEnough(claim: Claim, volume: Volume): boolean {
  const requested = parseQuantity(claim.spec.resources?.requests?.['storage'] ?? '0');
  return compareQuantities(sizeOf(volume), requested) >= 0;
}

function sameAttributes(claim: Claim, volume: Volume): boolean {
  return (claim.spec.volumeAttributesClassName ?? '') === (volume.spec.volumeAttributesClassName ?? '');
}
