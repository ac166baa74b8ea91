import { namespaces, type Namespace } from '../../api/core/v1.gen.ts';
import { discover, type ServedResource } from '../../client/discovery.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus, StatusError } from '../../machinery/status-error.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { isEmpty, planConditions, type NamespaceContent } from './plan.ts';

/** Upstream's name of the finalizer that this controller serves, in `spec.finalizers`. */
const finalizer = 'kubernetes';

/** Empties namespaces that are being deleted and lets them go. */
export const namespaceController: Controller = {
  name: 'namespace-controller',
  aliases: ['namespace'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, clock, signal } = context;
  const namespaceCache = informers.for(namespaces);
  const namespaceClient = client.for(namespaces);
  const reconciler = startReconciler(context, {
    name: namespaceController.name,
    caches: [namespaceCache],
    concurrency: 10,
    backoff: { baseMs: 20, maxMs: 60_000 },
    reconcile,
  });
  namespaceCache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  function wake(namespace: Live<Namespace>): void {
    if (namespace.metadata.deletionTimestamp !== undefined) reconciler.add(namespace.metadata.name);
  }

  async function reconcile(name: string): Promise<Outcome> {
    const namespace = namespaceCache.get(undefined, name);
    if (!namespace || namespace.metadata.deletionTimestamp === undefined) return settled;
    if (!(namespace.spec.finalizers ?? []).includes(finalizer)) return settled;
    const content = await empty(name);
    await report(namespace, content);
    if (isEmpty(content)) {
      await finalize(namespace);
      return settled;
    }
    const waitedMs = clock.now() - Date.parse(namespace.metadata.deletionTimestamp);
    return recheck(Math.min(1000, Math.max(50, waitedMs / 10)));
  }

  async function empty(namespace: string): Promise<NamespaceContent> {
    const failures: string[] = [];
    const remaining = new Map<string, number>();
    const finalizers = new Map<string, number>();
    let resources: readonly ServedResource[] = [];
    try {
      resources = await discover(client.transport, signal);
    } catch (error) {
      return { failures, discoveryFailure: messageOf(error), remaining, finalizers };
    }
    const deletable = resources.filter(
      ({ type, verbs, preferred }) =>
        preferred && type.namespaced && verbs.includes('list') && verbs.includes('delete'),
    );
    // Pods may rely on what else is in the namespace, such as its network policies, until they have ended (KEP-5080).
    const [ofPods, ofOthers] = [deletable.filter(isPods), deletable.filter((resource) => !isPods(resource))];
    await Promise.all(ofPods.map(emptied));
    if (remaining.size === 0 && failures.length === 0) await Promise.all(ofOthers.map(emptied));
    return { failures, remaining, finalizers };

    async function emptied(resource: ServedResource): Promise<void> {
      try {
        const left = await emptyResource(namespace, resource);
        if (left.length > 0) remaining.set(fullName(resource), left.length);
        for (const name of left.flatMap((object) => object.metadata.finalizers ?? [])) {
          finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
        }
      } catch (error) {
        if (isStatus(error, 'NotFound') || isStatus(error, 'MethodNotAllowed')) return;
        if (!(error instanceof StatusError)) throw error;
        failures.push(error.message);
      }
    }
  }

  /** Deletes what can be deleted; returns what lingers. */
  async function emptyResource(
    namespace: string,
    { type, verbs }: ServedResource,
  ): Promise<readonly Live<KubeObject>[]> {
    const resource = client.for(type);
    const present = await resource.list({ namespace });
    if (present.items.length === 0) return [];
    if (present.items.some(({ metadata }) => metadata.deletionTimestamp === undefined)) {
      if (verbs.includes('deletecollection')) {
        await resource.deleteCollection({ namespace }, { propagationPolicy: 'Background' });
      } else {
        for (const { metadata } of present.items) await resource.delete({ namespace, name: metadata.name });
      }
    }
    return (await resource.list({ namespace })).items;
  }

  async function report(namespace: Live<Namespace>, content: NamespaceContent): Promise<void> {
    const conditions = planConditions(namespace, content, clock.now());
    if (deepEqual(conditions, namespace.status?.conditions)) return;
    const status = { ...namespace.status, conditions };
    await ignoringStale(namespaceClient.updateStatus({ ...namespace, status }));
  }

  async function finalize(namespace: Live<Namespace>): Promise<void> {
    const { name, uid } = namespace.metadata;
    const fresh = await namespaceClient.get({ name });
    if (fresh.metadata.uid !== uid) return;
    const finalizers = (fresh.spec.finalizers ?? []).filter((other) => other !== finalizer);
    await client.transport.request({
      verb: 'update',
      group: '',
      version: 'v1',
      resource: 'namespaces',
      subresource: 'finalize',
      name,
      body: { ...fresh, spec: { ...fresh.spec, finalizers } },
    });
  }
}

/** A write that comes too late is made again with the next change. */
async function ignoringStale(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error;
  }
}

function isPods({ type }: ServedResource): boolean {
  return type.group === '' && type.resource === 'pods';
}

/** As the conditions name resources: those of the core group end with a dot. */
function fullName({ type }: ServedResource): string {
  return `${type.resource}.${type.group}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
