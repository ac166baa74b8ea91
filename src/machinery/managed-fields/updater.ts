import { newUnknownError } from '../status/errors.ts';
import type { Structure } from '../structure/structure.ts';
import { ApplyConflicts } from './apply-conflicts.ts';
import { compareTyped, type Comparison } from './compare.ts';
import { equalValues } from './compare-values.ts';
import { fieldSetOf } from './field-set-of.ts';
import { intersectSets, noFields, subtractSet, unionSets, type FieldSet } from './field-set.ts';
import { managerId, type ManagerName, type Managers, type OwnedFields } from './managers.ts';
import { mergeTyped } from './merge-typed.ts';
import { reconcileFields } from './reconcile.ts';
import { TypedError, validateTyped } from './validate-typed.ts';
import { removeItems, withNamedFields } from './remove-items.ts';

/** What the rules ask of a kind: its structure in each version, and conversion between them. */
export interface Versions {
  /** Undefined for a version that is not served any longer. */
  structure(apiVersion: string): Structure | undefined;
  /** An object of the kind with nothing in it, as it is written. */
  empty(apiVersion: string): unknown;
  /** The value, which is in one version, in another that has a structure. */
  convert(value: unknown, from: string, to: string): Promise<unknown>;
  /** The fields that requests may own of those a set has, in a version. */
  filter(set: FieldSet, apiVersion: string): FieldSet;
}

/** A value and the version that it is in. */
export interface Versioned {
  readonly value: unknown;
  readonly apiVersion: string;
}

/** One write: who, and from what to what. */
export interface OwnershipChange {
  readonly versions: Versions;
  readonly apiVersion: string;
  readonly live: unknown;
  readonly managers: Managers;
  readonly name: ManagerName;
}

/**
 * Who owns what after `next` has taken the place of `live` (structured-merge-diff `Updater.Update`): what the write changed
 * belongs to its manager alone. The manager's own entry keeps its time; the caller sets it.
 */
export async function ownAfterUpdate(change: OwnershipChange, next: unknown): Promise<Managers> {
  const reconciled = reconcileManagers(change);
  const { managers, comparison } = await disown({ ...change, managers: reconciled, force: true }, next);
  const id = managerId(change.name);
  const { added, modified, removed } = comparison;
  const before = managers.get(id);
  const set = change.versions.filter(
    unionSets(unionSets(subtractSet(before?.set ?? noFields, removed), modified), added),
    change.apiVersion,
  );
  const after = new Map(managers);
  if (set.size === 0) after.delete(id);
  else after.set(id, { ...before, name: change.name, apiVersion: change.apiVersion, set });
  return after;
}

/** The object after an apply, undefined when it is the same, and who owns what then. */
export interface Applied {
  readonly value: unknown;
  readonly managers: Managers;
}

/** Applies a configuration (structured-merge-diff `Updater.Apply`). Throws {@link ApplyConflicts} unless forced. */
export async function applyConfiguration(
  change: OwnershipChange,
  config: unknown,
  force: 'force' | 'unforced',
): Promise<Applied> {
  const { versions, apiVersion, live, name } = change;
  const structure = knownStructure(versions, apiVersion);
  const reconciled = reconcileManagers(change);
  const id = managerId(name);
  const last = reconciled.get(id);
  const set = versions.filter(fieldSetOf(config, structure), apiVersion);
  const claimed = new Map(reconciled).set(id, { ...last, name, apiVersion, set });
  const merged = { value: mergeTyped(live, config, structure), apiVersion };
  const next = await prune(versions, { merged, managers: claimed, last });
  const { managers } = await disown(
    { ...change, managers: claimed, force: force === 'force', strict: true },
    next,
  );
  return { value: equalValues(live, next) ? undefined : next, managers };
}

function knownStructure(versions: Versions, apiVersion: string): Structure {
  return versions.structure(apiVersion) ?? { type: 'untyped' };
}

async function convert(versions: Versions, { value, apiVersion }: Versioned, to: string): Promise<unknown> {
  return apiVersion === to ? value : versions.convert(value, apiVersion, to);
}

interface Disowning extends OwnershipChange {
  readonly force: boolean;
  /** An apply: objects must be of their type in every version that somebody owns fields of. */
  readonly strict?: true;
}

/** Takes what changed away from everybody but the writer. */
async function disown(
  { versions, apiVersion, live, managers, name, force, strict }: Disowning,
  next: unknown,
): Promise<{ readonly managers: Managers; readonly comparison: Comparison }> {
  const comparison = compareTyped(live, next, knownStructure(versions, apiVersion));
  const compared = new Map([[apiVersion, filtered(versions, comparison, apiVersion)]]);
  const conflicts = new Map<string, OwnedFields>();
  const left = new Map<string, OwnedFields>();
  const writer = managerId(name);
  for (const [id, owned] of managers) {
    if (id === writer) {
      left.set(id, owned);
      continue;
    }
    const structure = versions.structure(owned.apiVersion);
    if (!structure) continue;
    let changes = compared.get(owned.apiVersion);
    if (!changes) {
      const old = await convert(versions, { value: live, apiVersion }, owned.apiVersion);
      const after = await convert(versions, { value: next, apiVersion }, owned.apiVersion);
      if (strict) {
        checkConverted(old, structure, 'old');
        checkConverted(after, structure, 'new');
      }
      changes = filtered(versions, compareTyped(old, after, structure), owned.apiVersion);
      compared.set(owned.apiVersion, changes);
    }
    const taken = intersectSets(owned.set, unionSets(changes.modified, changes.added));
    if (taken.size > 0) conflicts.set(id, { ...owned, set: taken });
    const set = subtractSet(subtractSet(owned.set, taken), changes.removed);
    if (set.size > 0) left.set(id, set === owned.set ? owned : { ...owned, set });
  }
  if (!force && conflicts.size > 0) throw new ApplyConflicts(conflicts);
  if (left.get(writer)?.set.size === 0) left.delete(writer);
  return { managers: left, comparison };
}

function checkConverted(value: unknown, structure: Structure, which: 'old' | 'new'): void {
  try {
    validateTyped(value, structure);
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw newUnknownError(`failed to convert ${which} object: ${error.message}`);
  }
}

function filtered(
  versions: Versions,
  { added, modified, removed }: Comparison,
  apiVersion: string,
): Comparison {
  return {
    added: versions.filter(added, apiVersion),
    modified: versions.filter(modified, apiVersion),
    removed: versions.filter(removed, apiVersion),
  };
}

function reconcileManagers({ versions, managers }: OwnershipChange): Managers {
  const reconciled = new Map<string, OwnedFields>();
  for (const [id, owned] of managers) {
    const structure = versions.structure(owned.apiVersion);
    if (!structure) continue;
    const set = reconcileFields(owned.set, structure);
    reconciled.set(id, set === owned.set ? owned : { ...owned, set });
  }
  return reconciled;
}

interface Pruning {
  readonly merged: Versioned;
  readonly managers: Managers;
  /** What the applying manager owned before. */
  readonly last: OwnedFields | undefined;
}

/** Removes what the manager applied last time, does not apply now, and nobody else owns. */
async function prune(versions: Versions, { merged, managers, last }: Pruning): Promise<unknown> {
  if (!last || last.set.size === 0) return merged.value;
  const structure = versions.structure(last.apiVersion);
  if (!structure) return merged.value;
  const mergedThen = {
    value: await convert(versions, merged, last.apiVersion),
    apiVersion: last.apiVersion,
  };
  const pruned = {
    value: removeItems(mergedThen.value, withNamedFields(last.set, structure), structure),
    apiVersion: last.apiVersion,
  };
  const owned = await addBackOwned(versions, { merged: mergedThen, pruned, managers });
  const ownedThen = await convert(versions, owned, last.apiVersion);
  const all = withNamedFields(fieldSetOf(mergedThen.value, structure), structure);
  const kept = withNamedFields(fieldSetOf(ownedThen, structure), structure);
  const gone = intersectSets(subtractSet(all, kept), withNamedFields(last.set, structure));
  const value = removeItems(mergedThen.value, gone, structure);
  return convert(versions, { value, apiVersion: last.apiVersion }, merged.apiVersion);
}

interface AddingBack {
  readonly merged: Versioned;
  readonly pruned: Versioned;
  readonly managers: Managers;
}

/** Puts back what somebody owns, in the version of the pruned object first: conversions may need it. */
async function addBackOwned(
  versions: Versions,
  { merged, pruned, managers }: AddingBack,
): Promise<Versioned> {
  const owned = new Map<string, FieldSet>();
  for (const { apiVersion, set } of managers.values())
    owned.set(apiVersion, unionSets(owned.get(apiVersion) ?? noFields, set));
  const others = [...owned.keys()].filter((apiVersion) => apiVersion !== pruned.apiVersion);
  const order = owned.has(pruned.apiVersion) ? [pruned.apiVersion, ...others] : others;
  let current = pruned;
  let whole = merged;
  for (const apiVersion of order) {
    const structure = versions.structure(apiVersion);
    if (!structure) continue;
    whole = { value: await convert(versions, whole, apiVersion), apiVersion };
    current = { value: await convert(versions, current, apiVersion), apiVersion };
    const all = withNamedFields(fieldSetOf(whole.value, structure), structure);
    const kept = withNamedFields(fieldSetOf(current.value, structure), structure);
    const managed = withNamedFields(owned.get(apiVersion) ?? noFields, structure);
    const unowned = subtractSet(all, unionSets(kept, managed));
    current = { value: removeItems(whole.value, unowned, structure), apiVersion };
  }
  return current;
}
