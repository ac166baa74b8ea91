import { sleep, type Clock } from '../../base/clock.ts';
import type { Client, DeleteOptions, ResourceClient } from '../../client/client.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { isObject, type JsonObject } from '../../machinery/patch/json-value.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import type { ResourcePatch } from './resource-patch.ts';

export interface ReplayOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How many times faster than it was recorded; Infinity does not wait at all. */
  readonly speed: number;
  /** The uids that objects have here, by those that they had when they were recorded. */
  readonly uids?: ReadonlyMap<string, string>;
  readonly onFailure: (change: ResourcePatch, error: unknown) => void;
}

/** Makes the recorded changes in their order, each when its time has come. Resolves to how many there were. */
export async function replayHistory(
  client: Client,
  changes: readonly ResourcePatch[],
  options: ReplayOptions,
): Promise<number> {
  const { clock, signal, speed } = options;
  const uids = new Map(options.uids);
  const started = clock.monotonic();
  const ordered = changes.toSorted((a, b) => a.durationNanosecond - b.durationNanosecond);
  for (const change of ordered) {
    const due = started + change.durationNanosecond / 1e6 / speed;
    const wait = due - clock.monotonic();
    if (wait > 0) await sleep(clock, wait, signal);
    signal.throwIfAborted();
    try {
      await replay(client, change, uids);
    } catch (error) {
      options.onFailure(change, error);
    }
  }
  return ordered.length;
}

async function replay(client: Client, change: ResourcePatch, uids: Map<string, string>): Promise<void> {
  const { target, method, template } = change;
  const type = typeOf(change);
  const api = client.for(type);
  if (method === 'delete') {
    const lingering = await unlessGone(api.delete(target, { gracePeriodSeconds: 0 }));
    if (isHeld(lingering))
      await unlessGone(api.patch(target, { metadata: { finalizers: null } }, { type: merge }));
    if (type.resource === 'namespaces') await finalize(client, type, target.name);
    return;
  }
  if (!isObject(template)) return;
  const { nodeName, deletion, status, rest } = partsOf(linked(template, uids), type, method);
  if (method === 'create') {
    try {
      const { metadata } = await api.create(rest as JsonObject & KubeObject, { fieldValidation: 'Ignore' });
      remember(template, metadata.uid, uids);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  } else {
    if (nodeName !== undefined) await bind(api, target, nodeName);
    if (Object.keys(rest).length > 0) await api.patch(target, rest, { type: merge });
  }
  if (deletion) await unlessGone(api.delete(target, deletion));
  if (status !== undefined)
    await unlessGone(api.patch(target, { status }, { type: merge, subresource: 'status' }));
}

const merge = 'application/merge-patch+json';

function typeOf({ resource, target, template }: ResourcePatch): ResourceType<KubeObject> {
  return {
    group: resource.group ?? '',
    version: resource.version,
    resource: resource.resource,
    kind: isObject(template) && typeof template['kind'] === 'string' ? template['kind'] : '',
    namespaced: target.namespace !== undefined,
    singular: '',
    shortNames: [],
    categories: [],
  };
}

/** What a recorded change says, by the requests that it takes to say it to a server. */
interface ChangeParts {
  /** Where a pod was bound to. */
  readonly nodeName: string | undefined;
  /** The object was marked for deletion. */
  readonly deletion: DeleteOptions | undefined;
  readonly status: unknown;
  readonly rest: JsonObject;
}

function partsOf(
  template: JsonObject,
  { group, resource }: ResourceType<KubeObject>,
  method: ResourcePatch['method'],
): ChangeParts {
  const { status, metadata: given, spec: givenSpec, ...rest } = template;
  const metadata = isObject(given) ? given : {};
  const spec = isObject(givenSpec) ? givenSpec : {};
  const {
    uid: _uid,
    creationTimestamp: _created,
    resourceVersion: _version,
    generation: _generation,
    deletionTimestamp,
    deletionGracePeriodSeconds: grace,
    ...kept
  } = metadata;
  const isBinding = group === '' && resource === 'pods' && method === 'patch';
  const { nodeName, ...unbound } = spec;
  const changedSpec = isBinding ? unbound : spec;
  const isMarked = typeof deletionTimestamp === 'string' || typeof grace === 'number';
  return {
    status,
    nodeName: isBinding && typeof nodeName === 'string' && nodeName !== '' ? nodeName : undefined,
    deletion: isMarked ? { ...(typeof grace === 'number' && { gracePeriodSeconds: grace }) } : undefined,
    rest: {
      ...rest,
      ...(Object.keys(kept).length > 0 && { metadata: kept }),
      ...(Object.keys(changedSpec).length > 0 && { spec: changedSpec }),
    },
  };
}

/** Owners by the uids that they have here; those that are not known here are left out. */
function linked(template: JsonObject, uids: ReadonlyMap<string, string>): JsonObject {
  const { metadata } = template;
  if (!isObject(metadata)) return template;
  const { ownerReferences, labels } = metadata;
  const owners = Array.isArray(ownerReferences)
    ? ownerReferences.flatMap((owner) => {
        const uid = isObject(owner) && typeof owner['uid'] === 'string' ? uids.get(owner['uid']) : undefined;
        return uid === undefined ? [] : [{ ...(owner as JsonObject), uid }];
      })
    : undefined;
  const relabelled = isObject(labels)
    ? Object.fromEntries(
        Object.entries(labels).map(([key, value]) => [
          key,
          (key.endsWith('controller-uid') && typeof value === 'string' ? uids.get(value) : undefined) ??
            value,
        ]),
      )
    : undefined;
  return {
    ...template,
    metadata: {
      ...metadata,
      ...(owners && { ownerReferences: owners }),
      ...(relabelled && { labels: relabelled }),
    },
  };
}

function remember({ metadata }: JsonObject, uid: string, uids: Map<string, string>): void {
  if (isObject(metadata) && typeof metadata['uid'] === 'string') uids.set(metadata['uid'], uid);
}

async function bind(
  api: ResourceClient<KubeObject>,
  target: ResourcePatch['target'],
  nodeName: string,
): Promise<void> {
  try {
    await api.createSubresource(target, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: target,
      target: { kind: 'Node', name: nodeName },
    });
  } catch (error) {
    if (!isStatus(error, 'Conflict')) throw error;
  }
}

/** Whether finalizers keep what was deleted; in the recording they were gone when it was. */
function isHeld(answer: unknown): boolean {
  if (!isObject(answer) || !isObject(answer['metadata'])) return false;
  const { finalizers } = answer['metadata'];
  return Array.isArray(finalizers) && finalizers.length > 0;
}

/** Where no controller empties a namespace, it goes when its finalizer does. */
async function finalize(
  client: Client,
  { version, resource }: ResourceType<KubeObject>,
  name: string,
): Promise<void> {
  await unlessGone(
    client.transport.request({
      verb: 'update',
      group: '',
      version,
      resource,
      name,
      subresource: 'finalize',
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: [] } },
    }),
  );
}
