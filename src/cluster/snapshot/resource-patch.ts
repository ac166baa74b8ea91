import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { isObject, type JsonObject } from '../../machinery/patch/json-value.ts';
import { threeWayMergePatch } from '../../machinery/patch/three-way.ts';

/** KWOK's record of one change (action.kwok.x-k8s.io/v1alpha1 `ResourcePatch`). */
export interface ResourcePatch {
  readonly apiVersion: 'action.kwok.x-k8s.io/v1alpha1';
  readonly kind: 'ResourcePatch';
  readonly resource: { readonly group?: string; readonly version: string; readonly resource: string };
  readonly target: { readonly name: string; readonly namespace?: string };
  /** Since the recording began. */
  readonly durationNanosecond: number;
  readonly method: 'create' | 'patch' | 'delete';
  /** The object, or the JSON merge patch that leads to it. */
  readonly template?: unknown;
}

export interface RecordedChange {
  readonly type: ResourceType<KubeObject>;
  /** As it was before; absent when it is new. */
  readonly previous: KubeObject | undefined;
  /** As it is; absent when it is gone. */
  readonly object: KubeObject | undefined;
  readonly ms: number;
}

/** The record of a change; undefined when it changed nothing that a snapshot holds. */
export function resourcePatch({ type, previous, object, ms }: RecordedChange): ResourcePatch | undefined {
  const { group, version, resource } = type;
  const { name = '', namespace } = (object ?? previous)?.metadata ?? {};
  const change = {
    apiVersion: 'action.kwok.x-k8s.io/v1alpha1',
    kind: 'ResourcePatch',
    resource: { ...(group !== '' && { group }), version, resource },
    target: { name, ...(namespace !== undefined && { namespace }) },
    durationNanosecond: Math.round(ms * 1e6),
  } as const;
  if (!object) return { ...change, method: 'delete' };
  if (!previous) return { ...change, method: 'create', template: object };
  const before: JsonObject = { ...previous };
  const patch = threeWayMergePatch({ original: before, modified: { ...object }, current: before });
  return Object.keys(patch).length === 0 ? undefined : { ...change, method: 'patch', template: patch };
}

/** Whether a document of a recording is a change, and not an object of the state at its beginning. */
export function isResourcePatch(document: unknown): document is ResourcePatch {
  return (
    isObject(document) &&
    document['kind'] === 'ResourcePatch' &&
    isObject(document['resource']) &&
    isObject(document['target'])
  );
}
