import {
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../api/core/v1.gen.ts';
import { isDefaultClass } from '../../api/storage/storage-classes.ts';
import { storageclasses, type StorageClass } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { byKey, objectKey, parseKey, startReconciler } from '../../reconcile/reconciler.ts';
import { claimsOf } from '../storage-protection/claim-protection.ts';
import { boundStatus, unboundStatus, withClaim, withoutClaim, withVolume } from './binding.ts';
import { annotations, claimKeyOf, classNameOf, hasAnnotation } from './claim-state.ts';
import { oldestSuited } from './match.ts';
import { planClaim, type ClaimEvent } from './plan-claim.ts';
import { planVolume, type VolumePhase } from './plan-volume.ts';

/** Binds claims to volumes, asks provisioners for new ones, and releases volumes whose claims are gone. */
export const persistentVolumeBinder: Controller = {
  name: 'persistentvolume-binder-controller',
  aliases: ['persistentvolume-binder'],
  start,
};

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const events = context.events.as('persistentvolume-controller');
  const claimCache = informers.for(persistentvolumeclaims);
  const volumeCache = informers.for(persistentvolumes);
  const classCache = informers.for(storageclasses);
  const podCache = informers.for(pods);
  const claimClient = client.for(persistentvolumeclaims);
  const volumeClient = client.for(persistentvolumes);
  /** Volumes that a claim is being bound to, and that claim's identity, until the cache shows it. */
  const promised = new Map<string, string>();
  /** Identities of claims that have a volume, until the cache shows it. */
  const taken = new Set<string>();
  /** Volumes that were offered to a claim, by the claim's key, until it has decided. */
  const offers = new Map<string, ReadonlySet<string>>();
  claimCache.addIndex('unbound class', (claim) => (isUnbound(claim) ? [classNameOf(claim)] : []));
  claimCache.addIndex('volume', ({ spec }) => (spec.volumeName ? [spec.volumeName] : []));
  volumeCache.addIndex('candidate', (volume) => {
    const claim = claimKeyOf(volume);
    return [claim === undefined ? `class ${classNameOf(volume)}` : `claim ${claim}`];
  });
  podCache.addIndex('claim of waiting pod', (pod) => (pod.spec.nodeName ? [] : claimsOf(pod)));
  // Claims are namespaced and volumes are not, so that their keys differ.
  const reconciler = startReconciler(context, {
    name: persistentVolumeBinder.name,
    caches: [claimCache, volumeCache, classCache, podCache],
    reconcile: (key) => (key.includes('/') ? reconcileClaim(key) : reconcileVolume(key)),
  });
  const wake = (object: Claim | Volume): void => reconciler.add(objectKey(object));
  claimCache.addHandler({
    onAdd(claim) {
      wake(claim);
      wakeVolumesOf(claim);
    },
    onUpdate(claim) {
      if (!isUnbound(claim)) taken.delete(claim.metadata.uid);
      wake(claim);
      wakeVolumesOf(claim);
    },
    onDelete(claim) {
      wakeVolumesOf(claim);
      taken.delete(claim.metadata.uid);
      breakPromises(claim.metadata.uid);
      reoffer(objectKey(claim), claim);
    },
  });
  volumeCache.addHandler({
    onAdd: seeVolume,
    onUpdate: seeVolume,
    onDelete(volume) {
      promised.delete(volume.metadata.name);
      for (const claim of claimCache.byIndex('volume', volume.metadata.name)) wake(claim);
    },
  });
  classCache.addHandler({ onAdd: seeClass, onUpdate: seeClass });
  podCache.addHandler({ onAdd: seePod });
  return reconciler;

  function seeVolume(volume: Volume): void {
    const { name } = volume.metadata;
    if (volume.spec.claimRef) promised.delete(name);
    reconciler.add(name);
    const key = claimKeyOf(volume);
    if (key !== undefined) reconciler.add(key);
    for (const claim of claimCache.byIndex('volume', name)) wake(claim);
  }

  /** Lets the oldest claim that a free volume suits decide; if that takes another, the next one may (see {@link reoffer}). */
  function offer(volume: Volume, after?: Claim): void {
    const { name } = volume.metadata;
    const className = classNameOf(volume);
    const mode = classCache.get(undefined, className)?.volumeBindingMode;
    if (promised.has(name) || mode === 'WaitForFirstConsumer') return;
    const open = claimCache
      .byIndex('unbound class', className)
      .filter(({ metadata }) => !taken.has(metadata.uid));
    const claim = oldestSuited(volume, open, after);
    if (!claim) return;
    const key = objectKey(claim);
    offers.set(key, new Set(offers.get(key)).add(name));
    reconciler.add(key);
  }

  function reoffer(key: string, claim: Claim): void {
    const names = offers.get(key) ?? [];
    offers.delete(key);
    for (const name of names) {
      const volume = volumeCache.get(undefined, name);
      if (volume && !volume.spec.claimRef) offer(volume, claim);
    }
  }

  function seeClass({ metadata }: Live<StorageClass>): void {
    for (const name of new Set([metadata.name, '']))
      for (const claim of claimCache.byIndex('unbound class', name)) wake(claim);
  }

  /** Somebody waits for the claim now: it says so. */
  function seePod(pod: Live<Pod>): void {
    if (pod.spec.nodeName) return;
    for (const key of claimsOf(pod)) {
      const claim = byKey(claimCache, key);
      if (claim && isUnbound(claim)) reconciler.add(key);
    }
  }

  /** Offers volumes again that were to be bound to a claim which is gone. */
  function breakPromises(uid: string): void {
    for (const [name, promisee] of promised) {
      if (promisee !== uid) continue;
      promised.delete(name);
      const volume = volumeCache.get(undefined, name);
      if (volume) seeVolume(volume);
    }
  }

  function wakeVolumesOf(claim: Claim): void {
    for (const volume of volumeCache.byIndex('candidate', `claim ${objectKey(claim)}`)) wake(volume);
  }

  async function reconcileClaim(key: string): Promise<Outcome> {
    const claim = byKey(claimCache, key);
    if (!claim) {
      offers.delete(key);
      return settled;
    }
    await decide(key, claim);
    reoffer(key, claim);
    return settled;
  }

  async function decide(key: string, claim: Claim): Promise<void> {
    const { uid } = claim.metadata;
    const isOpen = ({ metadata }: Volume): boolean => (promised.get(metadata.name) ?? uid) === uid;
    const action = planClaim({
      claim,
      named: claim.spec.volumeName ? volumeCache.get(undefined, claim.spec.volumeName) : undefined,
      candidates: [
        ...volumeCache.byIndex('candidate', `claim ${key}`),
        ...volumeCache.byIndex('candidate', `class ${classNameOf(claim)}`).filter(isOpen),
      ],
      defaultClass: defaultClass(classCache.list()),
      storageClass: (name) => classCache.get(undefined, name),
      waitingPods: () => podCache.byIndex('claim of waiting pod', key).map(({ metadata }) => metadata.name),
    });
    if (action.do === 'bind') await bind(claim, action.volume);
    else if (action.do === 'class')
      await claimClient.update({ ...claim, spec: { ...claim.spec, storageClassName: action.name } });
    else if (action.do === 'provision') await askProvisioner(claim, action.provisioner);
    else {
      const changed = await writeStatus(claim, unboundStatus(claim, action.phase));
      if (action.event && (action.phase === 'Pending' || changed !== claim)) tell(claim, action.event);
    }
  }

  async function bind(claim: Claim, chosen: Volume): Promise<void> {
    promised.set(chosen.metadata.name, claim.metadata.uid);
    let volume = chosen;
    try {
      const named = withClaim(chosen, claim);
      if (named !== chosen) volume = await volumeClient.update(named);
      else promised.delete(chosen.metadata.name);
    } catch (error) {
      if (isStatus(error, 'Conflict') || isStatus(error, 'NotFound')) promised.delete(chosen.metadata.name);
      throw error;
    }
    volume = await writePhase(volume, { phase: 'Bound' });
    const holder = withVolume(claim, volume);
    if (isUnbound(claim)) taken.add(claim.metadata.uid);
    const current = holder === claim ? claim : await claimClient.update(holder);
    await writeStatus(current, boundStatus(current, volume));
  }

  async function writeStatus(claim: Claim, status: Claim['status']): Promise<Claim> {
    if (status === undefined || status === claim.status) return claim;
    return claimClient.updateStatus({ ...claim, status });
  }

  async function askProvisioner(claim: Claim, provisioner: string): Promise<void> {
    const wanted = {
      [annotations.betaProvisioner]: provisioner,
      [annotations.provisioner]: provisioner,
    };
    const next = { ...claim.metadata.annotations, ...wanted };
    if (!deepEqual(next, claim.metadata.annotations)) {
      await claimClient.update({ ...claim, metadata: { ...claim.metadata, annotations: next } });
      return;
    }
    tell(claim, {
      type: 'Normal',
      reason: 'ExternalProvisioning',
      message: `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    });
  }

  function tell(claim: Claim, { type, reason, message }: ClaimEvent): void {
    events.record(claim, type, reason, message);
  }

  async function reconcileVolume(name: string): Promise<Outcome> {
    const volume = volumeCache.get(undefined, name);
    if (!volume) return settled;
    const claim = await claimFor(volume);
    const action = planVolume(volume, claim);
    if (action.do === 'phase') {
      const written = await writePhase(volume, action);
      if (written === volume && action.phase === 'Available' && !volume.spec.claimRef) offer(volume);
    }
    if (action.do === 'unbind') await volumeClient.update(withoutClaim(volume));
    else if (action.do === 'wake-claim' && claim) wake(claim);
    else if (action.do === 'mismatch' && claim) tellMismatch(volume, claim);
    return settled;
  }

  /** The claim that a volume names, asked of the server before it is taken for gone. */
  async function claimFor(volume: Volume): Promise<Claim | undefined> {
    const key = claimKeyOf(volume);
    if (key === undefined) return undefined;
    const held = byKey(claimCache, key);
    const { phase } = volume.status ?? {};
    const isGone = held?.metadata.uid !== volume.spec.claimRef?.uid;
    if (!isGone || !volume.spec.claimRef?.uid || phase === 'Released' || phase === 'Failed') return held;
    return await unlessGone(claimClient.get(parseKey(key)));
  }

  async function writePhase(volume: Volume, { phase, failure }: VolumePhase): Promise<Volume> {
    const { message: heldMessage = '', reason: heldReason = '' } = volume.status ?? {};
    if (volume.status?.phase === phase && heldMessage === (failure?.message ?? '') && heldReason === '')
      return volume;
    const updated = await volumeClient.updateStatus({
      ...volume,
      status: { phase, ...(failure && { message: failure.message }) },
    });
    if (failure) events.record(volume, 'Warning', failure.reason, failure.message);
    return updated;
  }

  function tellMismatch(volume: Volume, claim: Claim): void {
    const [own, other] = [volume.metadata.name, claim.metadata.name];
    const why = 'due to incompatible volumeMode.';
    const forVolume = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${other}" ${why}`;
    const forClaim = `Cannot bind PersistentVolume "${own}" to requested PersistentVolumeClaim "${other}" ${why}`;
    events.record(volume, 'Warning', 'VolumeMismatch', forVolume);
    events.record(claim, 'Warning', 'VolumeMismatch', forClaim);
  }
}

function isUnbound(claim: Claim): boolean {
  return !claim.spec.volumeName && !hasAnnotation(claim, 'bindCompleted');
}

/** Of several default classes the youngest counts; of those of one second the first by name. */
function defaultClass(classes: readonly Live<StorageClass>[]): string | undefined {
  const [first] = classes
    .filter(({ metadata }) => isDefaultClass(metadata.annotations))
    .toSorted(({ metadata: a }, { metadata: b }) => {
      if (a.creationTimestamp !== b.creationTimestamp)
        return a.creationTimestamp > b.creationTimestamp ? -1 : 1;
      return a.name < b.name ? -1 : 1;
    });
  return first?.metadata.name;
}
