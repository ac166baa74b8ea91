import type { ResourceClaim } from '../../../api/resource/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import type { Informer } from '../../../reconcile/informer.ts';
import { AssumeCache } from '../../assume-cache.ts';
import { allocatedDevices, type AllocatedDevices } from './allocated-devices.ts';
import type { DeviceClaim } from './pod-device-claims.ts';

/**
 * All claims for devices as the scheduler knows them: those that are watched, those that it has changed since, and those
 * whose allocation is being written.
 */
export class ClaimLedger {
  readonly #claims: AssumeCache<ResourceClaim>;
  /** By uid, or by a key of its own for a claim that does not exist yet. */
  readonly #inFlight = new Map<string, ResourceClaim>();
  /** Claims that were created and are not seen yet, by uid. */
  readonly #created = new Map<string, DeviceClaim>();

  constructor(informer: Informer<ResourceClaim>) {
    this.#claims = new AssumeCache(informer);
    const see = ({ metadata }: Live<ResourceClaim>): void => void this.#created.delete(metadata.uid);
    informer.addHandler({ onAdd: see, onUpdate: see, onDelete: see });
  }

  get(namespace: string, name: string): DeviceClaim | undefined {
    return this.#claims.get(namespace, name);
  }

  find(test: (claim: DeviceClaim) => boolean): DeviceClaim | undefined {
    return this.#claims.list().find(test);
  }

  isInFlight(key: string): boolean {
    return this.#inFlight.has(key);
  }

  /** The claim, with its devices, is about to be written. */
  depart(key: string, claim: ResourceClaim): void {
    this.#inFlight.set(key, claim);
  }

  /** The claim was written, or will not be (`written` absent). */
  land(key: string, written?: DeviceClaim): void {
    this.#inFlight.delete(key);
    if (!written) return;
    const { namespace, name, uid } = written.metadata;
    this.#claims.assume(written);
    if (!this.#claims.get(namespace, name)) this.#created.set(uid, written);
  }

  /** What all claims together hold. */
  allocated(): AllocatedDevices {
    const current = new Map<string, ResourceClaim>(this.#created);
    for (const claim of this.#claims.list()) current.set(claim.metadata.uid, claim);
    for (const [key, claim] of this.#inFlight) current.set(key, claim);
    return allocatedDevices(current.values());
  }
}
