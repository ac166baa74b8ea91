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
  const sizes = new Sizes();
  let best: Volume | undefined;
  for (const volume of volumes) {
    if (volume.spec.claimRef ? !isMeantFor(volume, claim) : mode === 'first-consumer') continue;
    if (!fitsShape(claim, volume, sizes)) continue;
    if (volume.spec.claimRef) {
      if (!best?.spec.claimRef || isBetter(volume, best, sizes)) best = volume;
    } else if (isFree(claim, volume) && !best?.spec.claimRef && (!best || isBetter(volume, best, sizes)))
      best = volume;
  }
  return best;
}

/** The oldest of the claims that a volume that names nobody could serve, of those after `after` in that order. */
export function oldestSuited(
  volume: Volume,
  claims: readonly Claim[],
  after: Claim | undefined,
): Claim | undefined {
  const sizes = new Sizes();
  let oldest: Claim | undefined;
  for (const claim of claims) {
    if (after && !isOlder(after, claim)) continue;
    if (oldest && !isOlder(claim, oldest)) continue;
    if (fitsShape(claim, volume, sizes) && isFree(claim, volume)) oldest = claim;
  }
  return oldest;
}

function isOlder({ metadata: a }: Claim, { metadata: b }: Claim): boolean {
  if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp;
  return a.uid < b.uid;
}

/** What upstream asks of any volume: modes, size, and that it is not being deleted. */
function fitsShape(claim: Claim, volume: Volume, sizes: Sizes): boolean {
  return (
    volume.metadata.deletionTimestamp === undefined &&
    offersModes(claim, volume) &&
    sizes.compare(sizeOf(volume), requestOf(claim)) >= 0 &&
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

function isBetter(a: Volume, b: Volume, sizes: Sizes): boolean {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0);
  if (modes !== 0) return modes < 0;
  const size = sizes.compare(sizeOf(a), sizeOf(b));
  return size === 0 ? a.metadata.name < b.metadata.name : size < 0;
}

/** Compares amounts that are written in few different ways many times. */
class Sizes {
  readonly #parsed = new Map<string, Quantity>();

  compare(a: string, b: string): number {
    return a === b ? 0 : compareQuantities(this.#parse(a), this.#parse(b));
  }

  #parse(text: string): Quantity {
    let quantity = this.#parsed.get(text);
    if (!quantity) this.#parsed.set(text, (quantity = parseQuantity(text)));
    return quantity;
  }
}

function sizeOf({ spec }: Volume): string {
  return spec.capacity?.['storage'] ?? '0';
}

function requestOf({ spec }: Claim): string {
  return spec.resources?.requests?.['storage'] ?? '0';
}

/** Whether both are file systems, or both raw devices. */
export function sameVolumeMode(claim: Claim, volume: Volume): boolean {
  return (claim.spec.volumeMode ?? 'Filesystem') === (volume.spec.volumeMode ?? 'Filesystem');
}

/** In upstream's words why a claim cannot have the volume that it names; undefined when it can. */
export function mismatchOf(claim: Claim, volume: Volume): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (new Sizes().compare(sizeOf(volume), requestOf(claim)) < 0) return 'requested PV is too small';
  if (classNameOf(claim) !== classNameOf(volume)) return 'storageClassName does not match';
  if (!sameVolumeMode(claim, volume)) return 'incompatible volumeMode';
  if (!sameAttributes(claim, volume)) return 'VolumeAttributesClassName does not match';
  return offersModes(claim, volume) ? undefined : 'incompatible accessMode';
}

function sameAttributes(claim: Claim, volume: Volume): boolean {
  return (claim.spec.volumeAttributesClassName ?? '') === (volume.spec.volumeAttributesClassName ?? '');
}
