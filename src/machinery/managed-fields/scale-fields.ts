import type { ManagedFieldsEntry } from '../meta/v1.gen.ts';
import { fieldSet, hasPath, subtractSet } from './field-set.ts';
import { decodeManagers, encodeManagers, managerId, type Managers, type OwnedFields } from './managers.ts';
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
 * The managedFields of the object after its scale was written, in the version of the request. Entries that are new have no time, as
 * upstream's.
 */
export function fieldsOfParent(
  { parent, scale }: { readonly parent: Entries; readonly scale: Entries },
  paths: ReplicasPaths,
  apiVersion: string,
): ManagedFieldsEntry[] {
  const owners = new Map([...decoded(scale).values()].map((owned) => [ownerKey(owned), owned]));
  const kept = new Set<string>();
  const after = new Map<string, OwnedFields>();
  for (const [id, owned] of decoded(parent)) {
    const path = paths.get(owned.apiVersion);
    if (path === undefined) continue;
    if (path === null || !hasPath(owned.set, path)) {
      after.set(id, owned);
    } else if (owners.has(ownerKey(owned))) {
      kept.add(ownerKey(owned));
      after.set(id, owned);
    } else {
      const set = subtractSet(owned.set, fieldSet(path));
      if (set.size > 0) after.set(id, { ...owned, set });
    }
  }
  const path = paths.get(apiVersion);
  for (const [key, { name, set }] of owners) {
    if (kept.has(key) || !path || !hasPath(set, replicasInScale)) continue;
    after.set(key, { name, apiVersion, set: fieldSet(path) });
  }
  return encodeManagers(after);
}

/** Whose an entry is, in whatever version. */
function ownerKey({ name: { apiVersion: _version, ...name } }: OwnedFields): string {
  return managerId(name);
}

function decoded(entries: Entries): Managers {
  return decodeManagers(entries) ?? new Map();
}
