import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';

/** The finalizers by which the two waiting ways of deletion are asked for. */
export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

/** Where an object is, and which one it is. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly uid: string;
}

/** One object, or one that only owner references speak of. */
export interface GraphNode {
  readonly identity: Identity;
  /** Undefined while nobody has seen the object itself. */
  readonly type: ResourceType<KubeObject> | undefined;
  readonly owners: readonly OwnerReference[];
  readonly dependents: ReadonlySet<GraphNode>;
  readonly deletion: 'none' | 'orphaning' | 'waiting for dependents' | 'other';
}

interface MutableNode {
  identity: Identity;
  type: ResourceType<KubeObject> | undefined;
  owners: readonly OwnerReference[];
  deletion: GraphNode['deletion'];
  /** Most objects own nothing and share one empty set. */
  dependents: Set<MutableNode>;
}

const none: Set<MutableNode> = new Set();

/**
 * Who owns whom, by uid, over every kind of object.
 *
 *     deployment web ◄── replica set web-1 ◄── pod web-1-x
 *            ▲
 *            └────────── replica set web-2
 *
 * Every change returns the uids that it gives reason to look at.
 */
export class OwnerGraph {
  readonly #nodes = new Map<string, MutableNode>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  /** An object as it was seen. */
  upsert(type: ResourceType<KubeObject>, object: Live<KubeObject>): Set<string> {
    const { uid } = object.metadata;
    const attention = new Set<string>();
    const node = this.#nodes.get(uid) ?? this.#add(uid, identityOf(object));
    const deletion = deletionOf(object);
    node.identity = identityOf(object);
    node.type = type;
    this.#relink(node, object.metadata.ownerReferences ?? [], attention);
    if (deletion !== node.deletion && (deletion === 'orphaning' || deletion === 'waiting for dependents')) {
      attention.add(uid);
    }
    node.deletion = deletion;
    if (deletion === 'waiting for dependents')
      for (const dependent of node.dependents) attention.add(uidOf(dependent));
    return attention;
  }

  /** An object is gone, or turned out never to have existed. */
  remove(uid: string): Set<string> {
    const attention = new Set<string>();
    const node = this.#nodes.get(uid);
    if (!node) return attention;
    this.#relink(node, [], attention);
    this.#nodes.delete(uid);
    for (const dependent of node.dependents) attention.add(uidOf(dependent));
    return attention;
  }

  #add(uid: string, identity: Identity): MutableNode {
    const node: MutableNode = {
      identity,
      type: undefined,
      owners: [],
      deletion: 'none',
      dependents: none,
    };
    this.#nodes.set(uid, node);
    return node;
  }

  #relink(node: MutableNode, owners: readonly OwnerReference[], attention: Set<string>): void {
    const before = node.owners;
    node.owners = owners;
    for (const reference of before) {
      const owner = this.#nodes.get(reference.uid);
      const kept = owners.find(({ uid }) => uid === reference.uid);
      const stillBlocks = kept?.blockOwnerDeletion === reference.blockOwnerDeletion;
      if (!kept) owner?.dependents.delete(node);
      if (owner?.deletion === 'waiting for dependents' && !stillBlocks) attention.add(reference.uid);
    }
    for (const reference of owners) {
      if (before.some(({ uid }) => uid === reference.uid)) continue;
      let owner = this.#nodes.get(reference.uid);
      if (!owner) owner = this.#add(reference.uid, identityOfOwner(reference, node.identity.namespace));
      if (owner.dependents === none) owner.dependents = new Set();
      owner.dependents.add(node);
      if (!owner.type) attention.add(reference.uid);
      else if (owner.deletion === 'waiting for dependents') attention.add(uidOf(node));
    }
  }
}

/** Whether deletion of the owner has to wait for this dependent. */
export function blocks(dependent: GraphNode, ownerUid: string): boolean {
  return dependent.owners.some(
    ({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true,
  );
}

function uidOf(node: GraphNode): string {
  return node.identity.uid;
}

function identityOf({ apiVersion, kind, metadata }: Live<KubeObject>): Identity {
  const { namespace, name, uid } = metadata;
  return { apiVersion, kind, name, uid, ...(namespace !== undefined && { namespace }) };
}

function identityOfOwner(
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string | undefined,
): Identity {
  return { apiVersion, kind, name, uid, ...(namespace !== undefined && { namespace }) };
}

/** How an object is being deleted. */
export function deletionOf({ metadata }: KubeObject): GraphNode['deletion'] {
  if (metadata.deletionTimestamp === undefined) return 'none';
  if (metadata.finalizers?.includes(foregroundFinalizer)) return 'waiting for dependents';
  return metadata.finalizers?.includes(orphanFinalizer) ? 'orphaning' : 'other';
}
