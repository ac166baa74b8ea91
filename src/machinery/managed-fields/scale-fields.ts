import type { ManagedFieldsEntry } from '../meta/v1.gen.ts';
import { fieldSet, hasPath, subtractSet } from './field-set.ts';
import { attemptManagers, encodeManagers, type Managers, type OwnedFields } from './managers.ts';
import { memberElement, type FieldPath } from './path-element.ts';

const scaleVersion = 'autoscaling/v1';
const replicasInScale: FieldPath = ['spec', 'replicas'].map(memberElement);

/** Where each version of a resource has its replicas; null for one without `scale`. */
export type ReplicasPaths = ReadonlyMap<string, FieldPath | null>;

type Entries = readonly ManagedFieldsEntry[] | undefined;

/** The managedFields of an object's scale: those who own its replicas. */
export function fieldsOfScale(parent: Entries, paths: ReplicasPaths): ManagedFieldsEntry[] {
  const scale = new Map<string, OwnedFields>();
  for (const [id, owned] of decoded(parent)) {
    const path = paths.get(owned.apiVersion);
    if (!path || !hasPath(owned.set, path)) continue;
    scale.set(id, { ...owned, apiVersion: scaleVersion, set: fieldSet(replicasInScale) });
  }
  return encodeManagers(scale);
}

/**
 * The managedFields of the object after its scale was written, in the version of the request. As upstream, an updater's entry is
 * known again only in the scale's own version: its replicas come back as an entry of their own, without a time.
 */
export function fieldsOfParent(
  { parent, scale }: { readonly parent: Entries; readonly scale: Entries },
  paths: ReplicasPaths,
  apiVersion: string,
): ManagedFieldsEntry[] {
  const before = decoded(parent);
  const owners = new Map(decoded(scale));
  const after = new Map<string, OwnedFields>();
  for (const [id, owned] of before) {
    const path = paths.get(owned.apiVersion);
    if (path === undefined) continue;
    if (path === null || !hasPath(owned.set, path) || owners.delete(id)) {
      after.set(id, owned);
    } else {
      const set = subtractSet(owned.set, fieldSet(path));
      if (set.size > 0) after.set(id, { ...owned, set });
    }
  }
  const path = paths.get(apiVersion);
  for (const [id, { name, set }] of owners) {
    if (!path || !hasPath(set, replicasInScale)) continue;
    const time = before.get(id)?.time;
    after.set(id, { name, apiVersion, set: fieldSet(path), ...(time !== undefined && { time }) });
  }
  return encodeManagers(after);
}

function decoded(entries: Entries): Managers {
  return attemptManagers(entries) ?? new Map();
}
