import type { Job } from '../../api/batch/v1.gen.ts';
import type { PersistentVolume, ServiceSpec } from '../../api/core/v1.gen.ts';
import type { Client, ResourceClient } from '../../client/client.ts';
import type { RestMapper, ServedResource } from '../../client/discovery.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { isStatus, StatusError } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { referral } from './uid-referrals.ts';
import { resourceName } from './snapshot-resources.ts';

export interface RestoreOptions {
  readonly signal: AbortSignal;
  /** Asks anew what is served, for kinds that the snapshot itself defines. */
  readonly mapper: () => Promise<RestMapper>;
  readonly onFailure: (object: KubeObject, error: unknown) => void;
}

export interface Restored {
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  /** The uids that objects have here, by those that they have in the snapshot. */
  readonly uids: ReadonlyMap<string, string>;
}

interface Pending {
  readonly object: KubeObject;
  readonly served: ServedResource;
}

const CONCURRENCY = 32;
/** A kind, or a namespace, that was made a moment ago may need another. */
const ATTEMPTS = 5;

/**
 * Makes the objects of a snapshot on a cluster, with their status; what is there already is overwritten. Dependents come
 * before their owners, so that running controllers adopt them instead of making others, and are linked to their owners
 * again by the uids that those have now.
 */
export async function restoreSnapshot(
  client: Client,
  objects: readonly KubeObject[],
  options: RestoreOptions,
): Promise<Restored> {
  const counts = { created: 0, updated: 0, failed: 0 };
  const uids = new Map<string, string>();
  const links: { readonly pending: Pending; readonly owners: readonly OwnerReference[] }[] = [];
  let mapper = await options.mapper();
  for (const layer of layersOf(objects)) {
    const pending: Pending[] = [];
    for (const object of layer) {
      let served = mapper.byKind(object.apiVersion, object.kind);
      if (!served) {
        mapper = await options.mapper();
        served = mapper.byKind(object.apiVersion, object.kind);
      }
      if (served) pending.push({ object, served });
      else fail(object, new Error(`the server has no ${object.kind} of ${object.apiVersion}`));
    }
    await inParallel(pending, restoreOne);
  }
  await inParallel(links, async ({ pending, owners }) => {
    const linked = owners.flatMap((owner) => {
      const uid = uids.get(owner.uid);
      return uid === undefined ? [] : [{ ...owner, uid }];
    });
    if (linked.length === 0) return;
    const labels = relabelled(pending.object, uids);
    try {
      await client
        .for<KubeObject>(pending.served.type)
        .patch(
          refOf(pending.object),
          { metadata: { ownerReferences: linked, ...(labels && { labels }) } },
          { type: 'application/merge-patch+json' },
        );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) fail(pending.object, error);
    }
  });
  await inParallel(objects.map(referral), async (referring) => {
    const served = referring && mapper.byKind(referring.object.apiVersion, referring.object.kind);
    const patch = referring?.patch(uids);
    if (!referring || !served || !patch) return;
    const { object, subresource } = referring;
    const type = 'application/merge-patch+json';
    const options = { type, ...(subresource !== undefined && { subresource }) } as const;
    try {
      await unlessGone(client.for<KubeObject>(served.type).patch(refOf(object), patch, options));
    } catch (error) {
      fail(object, error);
    }
  });
  return { ...counts, uids };

  function fail(object: KubeObject, error: unknown): void {
    counts.failed++;
    options.onFailure(object, error);
  }

  async function restoreOne(pending: Pending): Promise<void> {
    options.signal.throwIfAborted();
    const { object, served } = pending;
    if (isTokenSecret(object)) return;
    const resource = client.for<KubeObject>(served.type);
    const owners = object.metadata.ownerReferences ?? [];
    try {
      const { live, outcome } = await createOrReplace(resource, adapted(withoutIdentity(object)));
      counts[outcome]++;
      if (object.metadata.uid !== undefined) uids.set(object.metadata.uid, live.metadata.uid);
      if (owners.length > 0) links.push({ pending, owners });
      await restoreStatus(resource, served, { object, live });
    } catch (error) {
      fail(object, error);
    }
  }
}

/** The labels of a Job's pod name the Job's uid. */
function relabelled(
  { metadata }: KubeObject,
  uids: ReadonlyMap<string, string>,
): Record<string, string> | undefined {
  const changed = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    const uid = key.endsWith('controller-uid') ? uids.get(value) : undefined;
    return uid === undefined ? [] : [[key, uid] as const];
  });
  return changed.length > 0 ? Object.fromEntries(changed) : undefined;
}

/** Definitions, namespaces and what else comes first one after the other; then the rest, dependents before owners. */
function layersOf(objects: readonly KubeObject[]): KubeObject[][] {
  const early = [
    'CustomResourceDefinition',
    'Namespace',
    'Node',
    'PriorityClass',
    'RuntimeClass',
    'StorageClass',
    'LimitRange',
    'ServiceAccount',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Secret',
    'ConfigMap',
  ];
  const layers = early.map((kind) => objects.filter((object) => object.kind === kind));
  const rest = objects.filter(({ kind }) => !early.includes(kind));
  const byUid = new Map(rest.map((object) => [object.metadata.uid, object]));
  const depths = new Map<KubeObject, number>();
  const depthOf = (object: KubeObject, seen: number): number => {
    const known = depths.get(object);
    if (known !== undefined) return known;
    const owners =
      seen > 16 ? [] : (object.metadata.ownerReferences ?? []).flatMap(({ uid }) => byUid.get(uid) ?? []);
    const depth = owners.length === 0 ? 0 : 1 + Math.max(...owners.map((owner) => depthOf(owner, seen + 1)));
    depths.set(object, depth);
    return depth;
  };
  const deepest = rest.reduce((most, object) => Math.max(most, depthOf(object, 0)), 0);
  for (let depth = deepest; depth >= 0; depth--)
    layers.push(rest.filter((object) => depths.get(object) === depth));
  return layers.filter((layer) => layer.length > 0);
}

function withoutIdentity(object: KubeObject): KubeObject {
  const {
    uid: _uid,
    ownerReferences: _owners,
    resourceVersion: _version,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    managedFields: _fields,
    ...metadata
  } = object.metadata;
  return { ...object, metadata };
}

async function createOrReplace(
  resource: ResourceClient<KubeObject>,
  object: KubeObject,
): Promise<{ readonly live: Live<KubeObject>; readonly outcome: 'created' | 'updated' }> {
  for (let attempt = 1; ; attempt++) {
    try {
      const live = await resource.create(object, { fieldValidation: 'Ignore' });
      return { live, outcome: 'created' };
    } catch (error) {
      if (isStatus(error, 'AlreadyExists'))
        return { live: await replace(resource, object), outcome: 'updated' };
      if (isStatus(error, 'Invalid')) {
        // A service's address may be taken, by the very service that it is to become or by another.
        const present = await found(resource, object);
        if (present) return { live: present, outcome: 'updated' };
        const freed = withoutAddresses(object);
        if (freed)
          return { live: await resource.create(freed, { fieldValidation: 'Ignore' }), outcome: 'created' };
      }
      const young =
        isStatus(error, 'NotFound') || (error instanceof StatusError && error.message.includes('not found'));
      if (!young || attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

async function found(
  resource: ResourceClient<KubeObject>,
  object: KubeObject,
): Promise<Live<KubeObject> | undefined> {
  return await unlessGone(resource.get(refOf(object)));
}

/** A service without the addresses and ports that a cluster gives; undefined for anything else. */
export function withoutAddresses(object: KubeObject): KubeObject | undefined {
  if (object.kind !== 'Service' || !('spec' in object)) return undefined;
  const {
    clusterIP,
    clusterIPs: _all,
    ports,
    healthCheckNodePort: _health,
    ...spec
  } = object.spec as ServiceSpec & { readonly clusterIP?: string };
  const open = (ports ?? []).map(({ nodePort: _port, ...port }) => port);
  return withSpec(object, { ...spec, ...(clusterIP === 'None' && { clusterIP }), ports: open });
}

function withSpec(object: KubeObject, spec: object): KubeObject {
  const changed = { ...object, spec };
  return changed;
}

/** A volume's claim is known by its uid, and a Job's selector is made of one; both are others now. */
function adapted(object: KubeObject): KubeObject {
  if (object.kind === 'PersistentVolume') return withoutClaimUid(object as PersistentVolume & KubeObject);
  if (object.kind !== 'Job' || !('spec' in object)) return object;
  const { spec } = object as Job;
  if (!spec || spec.manualSelector === true) return object;
  const { selector: _selector, template, ...rest } = spec;
  const labels = Object.entries(template.metadata?.labels ?? {}).filter(
    ([key]) => !key.endsWith('controller-uid'),
  );
  const metadata = { ...template.metadata, labels: Object.fromEntries(labels) };
  return withSpec(object, { ...rest, template: { ...template, metadata } });
}

function withoutClaimUid(volume: PersistentVolume & KubeObject): KubeObject {
  const { claimRef } = volume.spec ?? {};
  if (!claimRef) return volume;
  const { uid: _uid, resourceVersion: _version, ...rest } = claimRef;
  return withSpec(volume, { ...volume.spec, claimRef: rest });
}

async function replace(resource: ResourceClient<KubeObject>, object: KubeObject): Promise<Live<KubeObject>> {
  const present = await resource.get(refOf(object));
  try {
    const { resourceVersion } = present.metadata;
    return await resource.update(
      { ...object, metadata: { ...object.metadata, resourceVersion } },
      { fieldValidation: 'Ignore' },
    );
  } catch (error) {
    // What cannot be changed, and what was changed at this moment by whoever cares for it, stays.
    if (isStatus(error, 'Invalid') || isStatus(error, 'Conflict') || isStatus(error, 'Forbidden'))
      return present;
    throw error;
  }
}

/** A created object begins without status, for those kinds whose status is a subresource. */
async function restoreStatus(
  resource: ResourceClient<KubeObject>,
  served: ServedResource,
  { object, live }: { readonly object: KubeObject; readonly live: Live<KubeObject> },
): Promise<void> {
  if (!('status' in object) || !served.subresources.includes('status')) return;
  if (resourceName(served).startsWith('customresourcedefinitions')) return;
  try {
    await resource.patch(
      refOf(live),
      { status: object.status },
      { type: 'application/merge-patch+json', subresource: 'status' },
    );
  } catch (error) {
    if (!isStatus(error, 'Invalid') && !isStatus(error, 'NotFound')) throw error;
  }
}

function refOf({ metadata }: KubeObject): { readonly name: string; readonly namespace?: string } {
  return {
    name: metadata.name ?? '',
    ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
  };
}

/** They are worth nothing to another cluster, which makes its own. */
function isTokenSecret(object: KubeObject): boolean {
  return (
    object.kind === 'Secret' && 'type' in object && object.type === 'kubernetes.io/service-account-token'
  );
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let at = 0;
  const worker = async (): Promise<void> => {
    while (at < items.length) {
      const item = items[at++];
      if (item !== undefined) await work(item);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}
