import { sleep, type Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { isObject, type JsonObject } from '../../machinery/patch/json-value.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ResourcePatch } from './resource-patch.ts';

export interface ReplayOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How many times faster than it was recorded; Infinity does not wait at all. */
  readonly speed: number;
  readonly onFailure: (change: ResourcePatch, error: unknown) => void;
}

/** Makes the recorded changes in their order, each when its time has come. Resolves to how many there were. */
export async function replayHistory(
  client: Client,
  changes: readonly ResourcePatch[],
  options: ReplayOptions,
): Promise<number> {
  const { clock, signal, speed } = options;
  const started = clock.monotonic();
  const ordered = changes.toSorted((a, b) => a.durationNanosecond - b.durationNanosecond);
  for (const change of ordered) {
    const due = started + change.durationNanosecond / 1e6 / speed;
    const wait = due - clock.monotonic();
    if (wait > 0) await sleep(clock, wait, signal);
    signal.throwIfAborted();
    try {
      await replay(client, change);
    } catch (error) {
      options.onFailure(change, error);
    }
  }
  return ordered.length;
}

async function replay(client: Client, { resource, target, method, template }: ResourcePatch): Promise<void> {
  const type: ResourceType<KubeObject> = {
    group: resource.group ?? '',
    version: resource.version,
    resource: resource.resource,
    kind: isObject(template) && typeof template['kind'] === 'string' ? template['kind'] : '',
    namespaced: target.namespace !== undefined,
    singular: '',
    shortNames: [],
    categories: [],
  };
  const api = client.for(type);
  const merge = 'application/merge-patch+json';
  if (method === 'delete') {
    await api.delete(target, { gracePeriodSeconds: 0 }).catch((error: unknown) => {
      if (!isStatus(error, 'NotFound')) throw error;
    });
    return;
  }
  if (!isObject(template)) return;
  const { status, ...rest } = withoutIdentity(template);
  if (method === 'create') {
    await api.create(creatable(template), { fieldValidation: 'Ignore' }).catch((error: unknown) => {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    });
  } else if (Object.keys(rest).length > 0) await api.patch(target, rest, { type: merge });
  if (status !== undefined) {
    await api.patch(target, { status }, { type: merge, subresource: 'status' }).catch((error: unknown) => {
      if (!isStatus(error, 'NotFound')) throw error;
    });
  }
}

function creatable(template: JsonObject): KubeObject {
  return withoutIdentity(template) as JsonObject & KubeObject;
}

/** Uids and times of making are the server's; owners by uid mean nothing to another cluster. */
function withoutIdentity(template: JsonObject): JsonObject {
  const { metadata } = template;
  if (!isObject(metadata)) return template;
  const {
    uid: _uid,
    creationTimestamp: _created,
    ownerReferences: _owners,
    resourceVersion: _version,
    deletionTimestamp: _deleted,
    ...kept
  } = metadata;
  const { metadata: _metadata, ...rest } = template;
  return Object.keys(kept).length > 0 ? { ...rest, metadata: kept } : rest;
}
