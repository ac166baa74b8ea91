import type { StatusError } from '../status-error.ts';
import type { ManagedFieldsEntry } from '../meta/v1.gen.ts';
import { newBadRequest, newUnknownError } from '../status/errors.ts';
import { ApplyConflicts, conflictError } from './apply-conflicts.ts';
import { unionSets, subtractSet, fieldSet, type FieldSet } from './field-set.ts';
import { lastAppliedFields, withLastApplied } from './last-applied.ts';
import {
  attemptManagers,
  capManagers,
  decodeManagers,
  encodeManagers,
  MalformedManagers,
  managerId,
  managerName,
  type ManagerName,
  type Managers,
} from './managers.ts';
import { memberElement } from './path-element.ts';
import { applyConfiguration, ownAfterUpdate, type Applied, type Versions } from './updater.ts';
import { TypedError, validateTyped } from './validate-typed.ts';

type Entries = readonly ManagedFieldsEntry[];

/** One write by one manager, in the version that it was sent in. */
export interface ManagedWrite {
  readonly versions: Versions;
  readonly apiVersion: string;
  readonly subresource?: string;
  /** As the request names it; empty for none. */
  readonly manager: string;
  /** As `time` of an entry shows it. */
  readonly now: string;
  /** The object as it is, or as an empty one of its kind is, in the write's version and without managedFields. */
  readonly live: unknown;
  /** The managedFields that it has; undefined for a new object, whose fields are always tracked. */
  readonly liveFields: Entries | undefined;
}

const stripped: FieldSet = fieldSet(
  ...[
    ['apiVersion'],
    ['kind'],
    ['metadata'],
    ...[
      'name',
      'namespace',
      'creationTimestamp',
      'selfLink',
      'uid',
      'clusterName',
      'generation',
      'managedFields',
      'resourceVersion',
    ].map((name) => ['metadata', name]),
  ].map((path) => path.map(memberElement)),
);

/**
 * The managedFields of an object after a create, update or patch (apimachinery `managedfields`, the chain of managers of its
 * FieldManager). `sent` are those in the request's object, which may replace or, when empty, reset them; empty when nothing is tracked.
 */
export async function managedAfterUpdate(
  write: ManagedWrite,
  next: unknown,
  sent: Entries | undefined,
): Promise<ManagedFieldsEntry[]> {
  const managers = startingManagers(write, sent);
  if (managers.size === 0 && write.liveFields !== undefined) return [];
  const name = writerOf(write, 'Update');
  return encodeManagers(await updated(write, { managers, name, next }));
}

function writerOf(
  { manager, apiVersion, subresource }: ManagedWrite,
  operation: 'Apply' | 'Update',
): ManagerName {
  return managerName({ manager, operation }, apiVersion, subresource);
}

function startingManagers({ liveFields, subresource }: ManagedWrite, sent: Entries | undefined): Managers {
  const live = (): Managers => attemptManagers(liveFields) ?? new Map();
  if (subresource !== undefined) return live();
  if (isReset(sent)) return new Map();
  const managers = attemptManagers(sent);
  return managers && managers.size > 0 ? managers : live();
}

/** An empty list, or one empty entry. */
function isReset(sent: Entries | undefined): boolean {
  if (!sent || sent.length > 1) return false;
  return sent.every((entry) => Object.keys(entry).length === 0);
}

interface Updating {
  readonly managers: Managers;
  readonly name: ManagerName;
  readonly next: unknown;
}

const currentOperation: ManagerName = { manager: 'current-operation', operation: 'Update' };

async function updated(write: ManagedWrite, { managers, name, next }: Updating): Promise<Managers> {
  const { versions, apiVersion, live, now } = write;
  const change = { versions, apiVersion, live, managers, name: currentOperation };
  const after = new Map(await ownAfterUpdate(change, next));
  const self = managerId(currentOperation);
  const own = subtractSet(after.get(self)?.set ?? new Map(), stripped);
  after.delete(self);
  if (own.size > 0) {
    const id = managerId(name);
    const before = after.get(id)?.set ?? new Map();
    after.set(id, { name, apiVersion, set: unionSets(own, before), time: now });
  }
  return capManagers(after);
}

/** What an apply asks for. */
export interface ApplyPatch {
  readonly config: Readonly<Record<string, unknown>>;
  readonly kind: string;
  readonly force: boolean;
}

/** The object after an apply in the write's version, the same object when nothing changes, and its managedFields. */
export interface AppliedObject {
  readonly object: unknown;
  readonly managedFields: ManagedFieldsEntry[];
}

/** Merges an applied configuration. Throws `StatusError`: 400 for another kind, 409 for conflicts, 500 for a wrong type. */
export async function managedApply(write: ManagedWrite, patch: ApplyPatch): Promise<AppliedObject> {
  checkKind(write, patch);
  try {
    const migrates = write.manager === 'kubectl';
    const applied = migrates ? await migrate(write, patch) : await apply(write, patch, patch.force);
    const object = applied.value ?? write.live;
    return {
      object: migrates ? withLastApplied(object, patch.config) : object,
      managedFields: encodeManagers(applied.managers),
    };
  } catch (error) {
    if (error instanceof ApplyConflicts) throw conflictError(error);
    throw error;
  }
}

/** kubectl may take over what its client-side apply wrote, as the annotation tells. */
async function migrate(write: ManagedWrite, patch: ApplyPatch): Promise<Applied> {
  try {
    return await apply(write, patch, patch.force);
  } catch (error) {
    if (!(error instanceof ApplyConflicts)) throw error;
    const structure = write.versions.structure(write.apiVersion);
    const allowed = structure && lastAppliedFields(write.live, write.apiVersion, structure);
    if (!allowed) throw error;
    const left = error.without(allowed);
    if (left.conflicts.size > 0) throw left;
    return apply(write, patch, true);
  }
}

async function apply(write: ManagedWrite, patch: ApplyPatch, force: boolean): Promise<Applied> {
  const { versions, apiVersion, live, now } = write;
  const managers = await managersBeforeApply(write);
  checkConfig(write, patch);
  const name = writerOf(write, 'Apply');
  const change = { versions, apiVersion, live, managers, name };
  const applied = await applyConfiguration(change, patch.config, force ? 'force' : 'unforced');
  const id = managerId(name);
  const after = new Map(applied.managers);
  const own = after.get(id);
  const set = subtractSet(own?.set ?? new Map(), stripped);
  if (!own || set.size === 0) after.delete(id);
  else after.set(id, { ...own, set, ...(applied.value === undefined ? {} : { time: now }) });
  return { value: applied.value, managers: after };
}

function liveManagers(entries: Entries | undefined): Managers {
  try {
    return decodeManagers(entries);
  } catch (error) {
    if (!(error instanceof MalformedManagers)) throw error;
    throw newUnknownError(`failed to decode managed fields: ${error.message}`);
  }
}

/** What nobody tracks yet belongs to `before-first-apply`. */
async function managersBeforeApply(write: ManagedWrite): Promise<Managers> {
  const managers = liveManagers(write.liveFields);
  if (managers.size > 0 || write.liveFields === undefined) return managers;
  const { apiVersion, subresource } = write;
  const name = managerName({ manager: 'before-first-apply', operation: 'Update' }, apiVersion, subresource);
  const empty = write.versions.empty(apiVersion);
  return updated({ ...write, live: empty }, { managers, name, next: write.live });
}

function checkKind({ apiVersion }: ManagedWrite, { config, kind }: ApplyPatch): void {
  const wanted = config['apiVersion'] === apiVersion && config['kind'] === kind;
  if (!wanted) throw newBadRequest(`invalid object type: ${describeKind(config)}`);
}

function describeKind(config: Readonly<Record<string, unknown>>): string {
  const apiVersion = typeof config['apiVersion'] === 'string' ? config['apiVersion'] : '';
  const kind = typeof config['kind'] === 'string' ? config['kind'] : '';
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

function checkConfig(write: ManagedWrite, { config }: ApplyPatch): void {
  const metadata = config['metadata'] as Readonly<Record<string, unknown>> | null | undefined;
  if (Array.isArray(metadata?.['managedFields'])) throw newBadRequest('metadata.managedFields must be nil');
  try {
    validateTyped(config, write.versions.structure(write.apiVersion) ?? { type: 'untyped' });
  } catch (error) {
    if (!(error instanceof TypedError)) throw error;
    throw newUnknownError(
      `failed to create typed patch object (${describeConfig(config)}): ${error.message}`,
    );
  }
}

/** The 500 of an applied configuration that no object can be made of, in upstream's words. */
export function newUnconvertible(config: Readonly<Record<string, unknown>>, detail: string): StatusError {
  const subject = describeConfig(config);
  return newUnknownError(`failed to convert new object (${subject}) to proper version: ${detail}`);
}

/** `namespace/name; apps/v1, Kind=Deployment`. */
function describeConfig(config: Readonly<Record<string, unknown>>): string {
  const metadata = config['metadata'] as Readonly<Record<string, unknown>> | null | undefined;
  return `${text(metadata?.['namespace'])}/${text(metadata?.['name'])}; ${describeKind(config)}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
