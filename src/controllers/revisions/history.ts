import { controllerrevisions, type ControllerRevision } from '../../api/apps/v1.gen.ts';
import type { ResourceClient } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFrom } from '../../machinery/selectors/label-selector.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ControllerContext } from '../../reconcile/controller.ts';
import type { Informer } from '../../reconcile/informer.ts';
import { dependentsOf, indexByController, unowned } from '../../reconcile/owner.ts';
import { applyClaims, planClaims } from '../pods/claim.ts';
import {
  holdsTemplate,
  newRevision,
  planRevision,
  surplusRevisions,
  type RevisionUse,
  type Versioned,
} from './plan.ts';

/** The templates that an owner has had. */
export interface History {
  /** All its revisions, the newest among them. */
  readonly revisions: readonly Live<ControllerRevision>[];
  /** The one that holds the owner's template. */
  readonly newest: Live<ControllerRevision>;
  /** How often the name of a revision was taken by another template; belongs into the owner's status. */
  readonly collisionCount: number;
}

/** Keeps the controller revisions of one kind of owners. */
export interface RevisionKeeper<T extends Versioned> {
  readonly cache: Informer<ControllerRevision>;
  /** Adopts, releases, creates and renumbers until the newest revision holds the owner's template. */
  record(owner: Live<T>): Promise<History>;
  /** Deletes what the owner's `revisionHistoryLimit` leaves no room for. */
  truncate(owner: Live<T>, history: History, use: RevisionUse): Promise<void>;
  remove(revision: Live<ControllerRevision>): Promise<void>;
}

export interface RevisionKeeperOptions<T extends Versioned> {
  readonly owners: ResourceClient<T>;
  /** The label that carries the hash in a revision's name. */
  readonly hashLabel: string;
}

/** The history of upstream's StatefulSet and DaemonSet controllers. */
export function keepRevisions<T extends Versioned>(
  { client, informers }: ControllerContext,
  { owners, hashLabel }: RevisionKeeperOptions<T>,
): RevisionKeeper<T> {
  const cache = informers.for(controllerrevisions);
  const revisions = client.for(controllerrevisions);
  indexByController(cache);
  return { cache, record, truncate, remove };

  async function record(owner: Live<T>): Promise<History> {
    const { uid, namespace = '' } = owner.metadata;
    const candidates = [...dependentsOf(cache, uid), ...unowned(cache, namespace)];
    const claims = planClaims(owner, selectorFrom(owner.spec.selector), candidates);
    const owned = await applyClaims(claims, { objects: revisions, owners, owner });
    const collisionCount = owner.status?.collisionCount ?? 0;
    const plan = planRevision(owner, owned);
    if (plan.step === 'keep') return { revisions: owned, newest: plan.newest, collisionCount };
    if (plan.step === 'renumber') {
      const newest = await revisions.update({ ...plan.newest, revision: plan.revision });
      const others = owned.filter((revision) => revision !== plan.newest);
      return { revisions: [...others, newest], newest, collisionCount };
    }
    const created = await create(owner, plan.revision, collisionCount);
    return { ...created, revisions: [...owned, created.newest] };
  }

  /** A name that another template has taken gives way to the next one. */
  async function create(
    owner: Live<T>,
    revision: number,
    collisionCount: number,
  ): Promise<{ readonly newest: Live<ControllerRevision>; readonly collisionCount: number }> {
    const draft = newRevision(owner, { revision, collisionCount, hashLabel });
    try {
      return { newest: await revisions.create(draft), collisionCount };
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    const { namespace = '', name = '' } = draft.metadata;
    const existing = await revisions.get({ namespace, name });
    const ours = existing.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true;
    if (ours && holdsTemplate(existing, owner.spec.template)) return { newest: existing, collisionCount };
    return await create(owner, revision, collisionCount + 1);
  }

  async function truncate(owner: Live<T>, history: History, use: RevisionUse): Promise<void> {
    const earlier = history.revisions.filter((revision) => revision !== history.newest);
    for (const revision of surplusRevisions(owner, earlier, use)) await remove(revision);
  }

  async function remove({ metadata }: Live<ControllerRevision>): Promise<void> {
    try {
      await revisions.delete({ namespace: metadata.namespace ?? '', name: metadata.name });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
