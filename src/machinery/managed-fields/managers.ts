import { goQuote } from '../go-quote.ts';
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts';
import { decodeFields, encodeFields } from './fields-v1.ts';
import { unionSets, type FieldSet } from './field-set.ts';

/** Who owns fields: its entries of one operation, version and subresource are one manager. */
export interface ManagerName {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** Of updates only: what is applied through another version belongs to the same manager. */
  readonly apiVersion?: string;
  readonly subresource?: string;
}

/** What one manager owns of an object, in the version that it wrote. */
export interface OwnedFields {
  readonly name: ManagerName;
  readonly apiVersion: string;
  readonly set: FieldSet;
  /** When its fields last changed, as the entry shows it. */
  readonly time?: string;
}

/** All managers of an object by {@link managerId}. */
export type Managers = ReadonlyMap<string, OwnedFields>;

const ids = new WeakMap<ManagerName, string>();

/** Identifies a manager; sorting by it is upstream's order in messages. */
export function managerId(name: ManagerName): string {
  let id = ids.get(name);
  if (id === undefined) ids.set(name, (id = identify(name)));
  return id;
}

function identify({ manager, operation, apiVersion, subresource }: ManagerName): string {
  return JSON.stringify({
    ...(manager !== '' && { manager }),
    operation,
    ...(apiVersion !== undefined && apiVersion !== '' && { apiVersion }),
    ...(subresource !== undefined && subresource !== '' && { subresource }),
  });
}

/** The manager of a request; requests that name none come from `unknown`. */
export function managerName(
  name: Omit<ManagerName, 'apiVersion' | 'subresource'>,
  apiVersion: string,
  subresource: string | undefined,
): ManagerName {
  return {
    manager: name.manager === '' ? 'unknown' : name.manager,
    operation: name.operation,
    ...(name.operation === 'Update' && { apiVersion }),
    ...(subresource !== undefined && { subresource }),
  };
}

/** Entries of managedFields that cannot be read; the message is upstream's. */
export class MalformedManagers extends Error {}

/** Reads `metadata.managedFields`. Throws {@link MalformedManagers}. */
export function decodeManagers(entries: Entries): Managers {
  const managers = new Map<string, OwnedFields>();
  for (const [index, entry] of (entries ?? []).entries()) {
    const owned = ownedFields(entry, index);
    managers.set(managerId(owned.name), owned);
  }
  return managers;
}

/** {@link decodeManagers}, or undefined when an entry is malformed. */
export function attemptManagers(entries: Entries): Managers | undefined {
  try {
    return decodeManagers(entries);
  } catch (error) {
    if (error instanceof MalformedManagers) return undefined;
    throw error;
  }
}

type Entries = readonly ManagedFieldsEntry[] | null | undefined;

/** The entries, which cannot change any more, that owned fields were read from: most writes leave most of them as they are. */
const sources = new WeakMap<OwnedFields, ManagedFieldsEntry>();

function ownedFields(entry: ManagedFieldsEntry, index: number): OwnedFields {
  const owned = decodeEntry(entry, index);
  if (Object.isFrozen(entry)) sources.set(owned, entry);
  return owned;
}

function decodeEntry(entry: ManagedFieldsEntry, index: number): OwnedFields {
  const { manager = '', operation, apiVersion = '', fieldsType = '', subresource, time } = entry;
  if (operation !== 'Apply' && operation !== 'Update')
    throw new MalformedManagers('operation must be `Apply` or `Update`');
  if (apiVersion === '') throw new MalformedManagers('apiVersion must not be empty');
  if (fieldsType === '') throw new MalformedManagers(`missing fieldsType in managed fields entry ${index}`);
  if (fieldsType !== 'FieldsV1')
    throw new MalformedManagers(`invalid fieldsType ${goQuote(fieldsType)} in managed fields entry ${index}`);
  const name: ManagerName = {
    manager,
    operation,
    ...(operation === 'Update' && { apiVersion }),
    ...(subresource !== undefined && subresource !== '' && { subresource }),
  };
  const set = decodeSet(entry.fieldsV1);
  return { name, apiVersion, set, ...(time === undefined || time === null ? {} : { time }) };
}

function decodeSet(fields: unknown): FieldSet {
  try {
    return decodeFields(fields);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new MalformedManagers(`error decoding set: ${problem}`, { cause: error });
  }
}

/** `metadata.managedFields` in upstream's order: appliers first, then by time, manager, version, subresource. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()]
    .toSorted(compareOwned)
    .map((owned) => sources.get(owned) ?? encodeEntry(owned));
}

function encodeEntry({ name, apiVersion, set, time }: OwnedFields): ManagedFieldsEntry {
  return {
    ...(name.manager !== '' && { manager: name.manager }),
    operation: name.operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(set),
    ...(name.subresource !== undefined && { subresource: name.subresource }),
  };
}

function compareOwned(a: OwnedFields, b: OwnedFields): number {
  return (
    compareText(a.name.operation, b.name.operation) ||
    compareText(a.time ?? '', b.time ?? '') ||
    compareText(a.name.manager, b.name.manager) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.name.subresource ?? '', b.name.subresource ?? '')
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Merges the oldest updaters of a version into `ancient-changes` until no more than ten are left. */
export function capManagers(managers: Managers): Managers {
  const updaters = [...managers]
    .filter(([, { name }]) => name.operation === 'Update')
    .toSorted(([a, left], [b, right]) => compareText(left.time ?? '', right.time ?? '') || compareText(a, b));
  if (updaters.length <= mostUpdaters) return managers;
  const capped = new Map(managers);
  const firsts = new Map<string, string>();
  let count = updaters.length;
  for (const [id, owned] of updaters) {
    if (count <= mostUpdaters) break;
    const { apiVersion } = owned;
    const first = firsts.get(apiVersion);
    if (first === undefined) {
      firsts.set(apiVersion, id);
      continue;
    }
    const name: ManagerName = { manager: 'ancient-changes', operation: 'Update', apiVersion };
    const bucket = managerId(name);
    const kept = capped.get(bucket) ?? capped.get(first);
    if (!capped.has(bucket)) capped.delete(first);
    capped.delete(id);
    capped.set(bucket, {
      name,
      apiVersion,
      set: kept ? unionSets(owned.set, kept.set) : owned.set,
      ...(owned.time !== undefined && { time: owned.time }),
    });
    count--;
  }
  return capped;
}

const mostUpdaters = 10;
