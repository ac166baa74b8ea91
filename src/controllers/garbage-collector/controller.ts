import { sleep } from '../../base/clock.ts';
import { createRestMapper, discover, type RestMapper } from '../../client/discovery.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import { apiVersionOf, type KubeObject, type Live, type ResourceType } from '../../machinery/object.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import {
  blocks,
  deletionOf,
  foregroundFinalizer,
  orphanFinalizer,
  OwnerGraph,
  type GraphNode,
} from './owner-graph.ts';
import { planCollection, type OwnerState } from './plan.ts';

/** Deletes objects whose owners are gone, of whatever kind the server serves. */
export const garbageCollector: Controller = {
  name: 'garbage-collector-controller',
  aliases: ['garbagecollector'],
  start,
};

/** How often the server is asked for new kinds. */
const discoveryMs = 30_000;
/** How long an owner that nobody has seen may be missing before that counts: it may be on its way. */
const patienceMs = 1_000;
/** How many owners that are gone are remembered as such. */
const goneLimit = 10_000;

function start(context: ControllerContext): RunningController {
  const { client, informers, clock, signal } = context;
  const graph = new OwnerGraph();
  const followed = new Map<string, ResourceType<KubeObject>>();
  const gone = new Set<string>();
  const missing = new Map<string, number>();
  let mapper: RestMapper = createRestMapper([]);
  const firstLists = followResources();
  const reconciler = startReconciler(context, {
    name: garbageCollector.name,
    caches: [{ synced: () => firstLists }],
    concurrency: 20,
    reconcile,
  });
  const following = keepFollowing();
  return {
    async stop() {
      await Promise.all([reconciler.stop(), following]);
    },
  };

  async function keepFollowing(): Promise<void> {
    try {
      await firstLists;
      for (;;) {
        await sleep(clock, discoveryMs, signal);
        await followResources();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Watches every kind that can be deleted; events own nothing and are owned by nothing. */
  async function followResources(): Promise<void> {
    const resources = await discoverPatiently();
    mapper = createRestMapper(resources);
    const fresh = resources.filter(
      ({ type, verbs, preferred }) =>
        preferred &&
        type.resource !== 'events' &&
        ['list', 'watch', 'delete'].every((verb) => verbs.includes(verb)) &&
        !followed.has(keyOf(type)),
    );
    for (const { type } of fresh) follow(type);
    informers.start();
    await Promise.race([
      Promise.all(fresh.map(({ type }) => informers.for(type).synced())),
      new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true })),
    ]);
  }

  async function discoverPatiently(): ReturnType<typeof discover> {
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 5000)) {
      try {
        return await discover(client.transport, signal);
      } catch (error) {
        if (signal.aborted) return [];
        context.onFailure?.({
          controller: garbageCollector.name,
          key: 'discovery',
          error,
          failures: 1,
          retryMs: waitMs,
        });
        await sleep(clock, waitMs, signal);
      }
    }
  }

  function follow(type: ResourceType<KubeObject>): void {
    followed.set(keyOf(type), type);
    const see = (object: Live<KubeObject>): void => {
      missing.delete(object.metadata.uid);
      attend(graph.upsert(type, object));
    };
    informers.for(type).addHandler({
      onAdd: see,
      onUpdate: see,
      onDelete({ metadata }) {
        remember(metadata.uid);
        attend(graph.remove(metadata.uid));
      },
    });
  }

  function remember(uid: string): void {
    missing.delete(uid);
    gone.add(uid);
    const [oldest] = gone;
    if (gone.size > goneLimit && oldest !== undefined) gone.delete(oldest);
  }

  /** Milliseconds left until a missing owner counts as absent; 0 when it was there, or was missed for long enough. */
  function patienceFor(uid: string): number {
    if (gone.has(uid)) return 0;
    const now = clock.monotonic();
    const since = missing.get(uid) ?? now;
    missing.set(uid, since);
    const left = since + patienceMs - now;
    if (left <= 0) remember(uid);
    return Math.max(0, left);
  }

  function attend(uids: ReadonlySet<string>): void {
    for (const uid of uids) reconciler.add(uid);
  }

  async function reconcile(uid: string): Promise<Outcome> {
    const node = graph.get(uid);
    if (!node) return settled;
    if (node.deletion === 'other') return settled;
    if (!node.type) return await verify(node);
    const object = await read(node);
    if (!object) return settled;
    if (deletionOf(object) === 'orphaning') return await orphanDependents(node, object);
    if (deletionOf(object) === 'waiting for dependents') await awaitDependents(node, object);
    else if (object.metadata.deletionTimestamp === undefined) return await collect(node, object);
    return settled;
  }

  /** Finds out whether an owner that nobody has seen exists. */
  async function verify(node: GraphNode): Promise<Outcome> {
    const served = mapper.byKind(node.identity.apiVersion, node.identity.kind);
    if (!served) return recheck(discoveryMs);
    if (served.type.namespaced && node.identity.namespace === undefined) return settled;
    if (await read({ ...node, type: served.type })) return recheck(500);
    const patience = patienceFor(node.identity.uid);
    if (patience > 0) return recheck(patience);
    attend(graph.remove(node.identity.uid));
    return settled;
  }

  /** The object as the server has it now; undefined when it is gone or another took its name. */
  async function read({ identity, type }: GraphNode): Promise<Live<KubeObject> | undefined> {
    if (!type) return undefined;
    const place = placeOf(type, identity.namespace, identity.name);
    const object = await unlessGone(client.for(type).get(place));
    return object?.metadata.uid === identity.uid ? object : undefined;
  }

  async function collect(node: GraphNode, object: Live<KubeObject>): Promise<Outcome> {
    const { namespace, ownerReferences = [] } = object.metadata;
    const states = new Map<string, OwnerState>();
    for (const reference of ownerReferences) states.set(reference.uid, await stateOf(reference, namespace));
    const absent = [...states].filter(([, state]) => state === 'absent');
    const patience = Math.max(0, ...absent.map(([uid]) => patienceFor(uid)));
    if (patience > 0) return recheck(patience);
    const plan = planCollection(object, node, ({ uid }) => states.get(uid) ?? 'present');
    if (plan.action === 'keep') return settled;
    if (plan.action === 'drop references') {
      await writeMetadata(node, object, { ownerReferences: plan.keep });
      return settled;
    }
    let current: Live<KubeObject> | undefined = object;
    if (plan.unblock) {
      const unblocked = ownerReferences.map((reference) => ({ ...reference, blockOwnerDeletion: false }));
      current = await writeMetadata(node, object, { ownerReferences: unblocked });
    }
    if (current) await remove(node, current, plan.propagation);
    return settled;
  }

  async function stateOf(reference: OwnerReference, namespace: string | undefined): Promise<OwnerState> {
    const known = graph.get(reference.uid);
    if (known?.type) return known.deletion === 'waiting for dependents' ? known.deletion : 'present';
    const type = mapper.byKind(reference.apiVersion, reference.kind)?.type;
    if (!type || (type.namespaced && namespace === undefined)) return 'present';
    const { apiVersion, kind, name, uid } = reference;
    const identity = { apiVersion, kind, name, uid, ...(namespace !== undefined && { namespace }) };
    const owner = await read({ identity, type, owners: [], dependents: new Set(), deletion: 'none' });
    if (!owner) return 'absent';
    return deletionOf(owner) === 'waiting for dependents' ? 'waiting for dependents' : 'present';
  }

  async function remove(
    { type }: GraphNode,
    { metadata }: Live<KubeObject>,
    propagationPolicy: 'Foreground' | 'Background' | 'Orphan',
  ): Promise<void> {
    if (!type) return;
    const { namespace, name, uid, resourceVersion } = metadata;
    const preconditions = { uid, resourceVersion };
    await unlessGone(
      client.for(type).delete(placeOf(type, namespace, name), { preconditions, propagationPolicy }),
    );
  }

  async function awaitDependents(node: GraphNode, object: Live<KubeObject>): Promise<void> {
    const blocking = [...node.dependents].filter((dependent) => blocks(dependent, node.identity.uid));
    if (blocking.length === 0) await dropFinalizer(node, object, foregroundFinalizer);
    else for (const dependent of blocking) reconciler.add(dependent.identity.uid);
  }

  async function orphanDependents(node: GraphNode, object: Live<KubeObject>): Promise<Outcome> {
    const { uid } = object.metadata;
    await Promise.all(
      [...node.dependents].map(async (dependent) => {
        const current = await read(dependent);
        const ownerReferences = (current?.metadata.ownerReferences ?? []).filter(
          (other) => other.uid !== uid,
        );
        if (current) await writeMetadata(dependent, current, { ownerReferences });
      }),
    );
    await dropFinalizer(node, object, orphanFinalizer);
    return settled;
  }

  async function dropFinalizer(node: GraphNode, object: Live<KubeObject>, finalizer: string): Promise<void> {
    const finalizers = (object.metadata.finalizers ?? []).filter((other) => other !== finalizer);
    await writeMetadata(node, object, { finalizers });
  }

  /** Changes metadata of exactly this version of the object. Throws `Conflict`, to be tried again with a newer one. */
  async function writeMetadata(
    { type }: GraphNode,
    object: Live<KubeObject>,
    change: { readonly ownerReferences?: readonly OwnerReference[]; readonly finalizers?: readonly string[] },
  ): Promise<Live<KubeObject> | undefined> {
    if (!type) return undefined;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const patch = { metadata: { uid, resourceVersion, ...change } };
    return await unlessGone(
      client.for(type).patch(placeOf(type, namespace, name), patch, { type: 'application/merge-patch+json' }),
    );
  }
}

function placeOf(
  type: ResourceType<KubeObject>,
  namespace: string | undefined,
  name: string,
): { readonly namespace?: string; readonly name: string } {
  return type.namespaced && namespace !== undefined ? { namespace, name } : { name };
}

function keyOf(type: ResourceType<KubeObject>): string {
  return `${type.resource}.${apiVersionOf(type)}`;
}
