import type { ResourceClient } from '../../client/client.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { selectorMatches, type Selector } from '../../machinery/selectors/label-selector.ts';
import { controllerOf, controllerReference } from '../../reconcile/owner.ts';

/** What a selector and the owner references of objects say about who should own them. */
export interface Claims<T> {
  readonly owned: readonly Live<T>[];
  readonly adopt: readonly Live<T>[];
  readonly release: readonly Live<T>[];
}

/**
 * Sorts candidates into those that `owner` owns, should adopt (selected, unowned) and should release (owned, no longer
 * selected). An owner or object that is being deleted changes nothing. What does not `fit` counts as not selected.
 */
export function planClaims<T extends KubeObject>(
  owner: Live<KubeObject>,
  selector: Selector,
  candidates: readonly Live<T>[],
  fits: (object: Live<T>) => boolean = () => true,
): Claims<T> {
  const owned: Live<T>[] = [];
  const adopt: Live<T>[] = [];
  const release: Live<T>[] = [];
  const ownerStays = owner.metadata.deletionTimestamp === undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    const selected = selectorMatches(selector, object.metadata.labels) && fits(object);
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (selected) owned.push(object);
      else if (ownerStays) release.push(object);
    } else if (selected && ownerStays && object.metadata.deletionTimestamp === undefined) adopt.push(object);
  }
  return { owned, adopt, release };
}

export interface ClaimOptions<T extends KubeObject, O extends KubeObject> {
  readonly objects: ResourceClient<T>;
  readonly owners: ResourceClient<O>;
  readonly owner: Live<O>;
  /** Finalizers to add to adopted objects, or to take from released ones. */
  readonly finalizer?: string;
}

/** Carries {@link planClaims} out; returns all objects that `owner` then owns. */
export async function applyClaims<T extends KubeObject, O extends KubeObject>(
  claims: Claims<T>,
  options: ClaimOptions<T, O>,
): Promise<readonly Live<T>[]> {
  if (claims.adopt.length > 0) await assertUnchanged(options);
  const adopted = await Promise.all(claims.adopt.map((object) => adopt(object, options)));
  await Promise.all(claims.release.map((object) => release(object, options)));
  return [...claims.owned, ...adopted.filter((object) => object !== undefined)];
}

/** Asks the server, because a cache may not know yet that the owner is being deleted or was replaced. */
async function assertUnchanged<T extends KubeObject, O extends KubeObject>({
  owners,
  owner,
}: ClaimOptions<T, O>): Promise<void> {
  const { namespace = '', name, uid } = owner.metadata;
  const fresh = await owners.get({ namespace, name });
  if (fresh.metadata.uid !== uid)
    throw new Error(`${name} was replaced: uid ${fresh.metadata.uid} instead of ${uid}`);
  if (fresh.metadata.deletionTimestamp !== undefined) throw new Error(`${name} has just been deleted`);
}

async function adopt<T extends KubeObject, O extends KubeObject>(
  object: Live<T>,
  { objects, owner, finalizer }: ClaimOptions<T, O>,
): Promise<Live<T> | undefined> {
  const { namespace = '', name, uid } = object.metadata;
  const ownerReferences = [controllerReference(owner)];
  const patch = {
    metadata: { uid, ownerReferences, ...(finalizer !== undefined && { finalizers: [finalizer] }) },
  };
  return await unlessGone(
    objects.patch({ namespace, name }, patch, {
      type: 'application/strategic-merge-patch+json',
    }),
  );
}

async function release<T extends KubeObject, O extends KubeObject>(
  object: Live<T>,
  { objects, owner, finalizer }: ClaimOptions<T, O>,
): Promise<void> {
  const { namespace = '', name, uid } = object.metadata;
  const patch = {
    metadata: {
      uid,
      ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
      ...(finalizer !== undefined && { '$deleteFromPrimitiveList/finalizers': [finalizer] }),
    },
  };
  try {
    await objects.patch({ namespace, name }, patch, { type: 'application/strategic-merge-patch+json' });
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Invalid')) throw error;
  }
}
