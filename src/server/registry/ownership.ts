import type { ResourceVersion } from '../../api/resource.ts';
import { timestamp } from '../../base/clock.ts';
import { subtractTrees, type FieldSet } from '../../machinery/managed-fields/field-set.ts';
import {
  managedAfterUpdate,
  managedApply,
  type AppliedObject,
  type ApplyPatch,
  type ManagedWrite,
} from '../../machinery/managed-fields/field-manager.ts';
import type { ReplicasPaths } from '../../machinery/managed-fields/scale-fields.ts';
import type { Versions } from '../../machinery/managed-fields/updater.ts';
import { decodeManagers, MalformedManagers } from '../../machinery/managed-fields/managers.ts';
import { memberElement } from '../../machinery/managed-fields/path-element.ts';
import type { ManagedFieldsEntry } from '../../machinery/meta/v1.gen.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { apiVersionOf, type DeepMutable, type KubeObject } from '../../machinery/object.ts';
import { writtenObject } from '../../machinery/schema/written-object.ts';
import { structureOfMessage } from '../../machinery/structure/structure-of-message.ts';
import type { Registry, RequestContext } from './request-context.ts';
import { convertedFrom } from './converted.ts';
import { ownableFields, resetPaths } from './ownable-fields.ts';
import type { ServedVersion } from './served-resource.ts';

/** What an object has of managedFields, and how it is written without them. */
interface Plain {
  readonly value: unknown;
  readonly fields: readonly ManagedFieldsEntry[] | undefined;
}

/** The manager of a request: the one it names, or else the program that its user agent begins with. */
export function requestManager({ request, userAgent = '' }: RequestContext): string {
  const named = request.params?.['fieldManager'];
  if (named) return named;
  const program = userAgent.split('/', 1)[0] ?? '';
  let manager = '';
  for (const char of program.replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')) {
    if (Buffer.byteLength(manager + char) > longestManager) break;
    manager += char;
  }
  return manager;
}

const longestManager = 128;

/**
 * An object in a version, as upstream's encoder would write it: of built-in kinds what is always written is there. Of its
 * own members those that are `aside` are left out.
 */
function plain(
  registry: Registry,
  object: KubeObject,
  version: ResourceVersion<KubeObject>,
  aside: readonly string[] = [],
): Plain {
  const { managedFields, ...metadata } = object.metadata;
  const value: Record<string, unknown> = { ...object, metadata };
  for (const name of aside) delete value[name];
  return { value: version.custom ? value : written(registry, value, version.schema), fields: managedFields };
}

function written(registry: Registry, object: object, message: string): unknown {
  return writtenObject(object, { table: registry.schema, message });
}

function versionsOf(registry: Registry, served: ServedVersion, subresource: string | undefined): Versions {
  const { definition } = served.resource;
  const versions = served.version.custom?.versions() ?? definition.versions;
  const byApiVersion = new Map(
    Object.values(versions).map((version) => [apiVersionOf(version.type), version]),
  );
  const known = (apiVersion: string): ServedVersion => {
    const version = byApiVersion.get(apiVersion) ?? served.version;
    return { resource: served.resource, version, type: version.type };
  };
  const owned = ownableFields(definition, subresource);
  return {
    structure(apiVersion) {
      const version = byApiVersion.get(apiVersion);
      if (!version) return undefined;
      return version.custom?.structure ?? structureOfMessage(registry.schema, version.schema);
    },
    empty: (apiVersion) => emptyObject(registry, known(apiVersion)),
    async convert(value, from, to) {
      const object = mutableCopy<KubeObject>(value as KubeObject);
      const { version } = known(from);
      const target = known(to);
      const converted = version.custom
        ? await version.custom.convert(object, target.type.version)
        : convertedFrom(target, version.toStorage?.(object) ?? object);
      return plain(registry, converted, target.version).value;
    },
    filter: (set: FieldSet) => owned.only(subtractTrees(set, owned.reset)),
  };
}

const emptyObjects = new WeakMap<object, unknown>();

function emptyObject(registry: Registry, { version, type }: ServedVersion): unknown {
  const known = emptyObjects.get(version);
  if (known !== undefined) return known;
  const object = { apiVersion: apiVersionOf(type), kind: type.kind };
  const empty = version.custom ? object : written(registry, object, version.schema);
  emptyObjects.set(version, empty);
  return empty;
}

/** A write of an object of the resource by the request's manager. */
function writeOf(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { old, aside = [] }: { readonly old: KubeObject | undefined; readonly aside?: readonly string[] },
): ManagedWrite {
  const { subresource } = context.request;
  const live = old && plain(registry, convertedFrom(served, old), served.version, aside);
  return {
    versions: versionsOf(registry, served, subresource),
    apiVersion: apiVersionOf(served.type),
    ...(subresource === undefined ? {} : { subresource }),
    manager: requestManager(context),
    now: timestamp(registry.clock.now()),
    live: live ? live.value : emptyObject(registry, served),
    liveFields: live && (live.fields ?? []),
  };
}

/**
 * The members of an object of which nobody comes to own anything through this endpoint, and which need not be compared; none
 * where a version may have to be converted.
 */
function setBack(
  { resource: { definition } }: ServedVersion,
  subresource: string | undefined,
): readonly string[] {
  if (Object.keys(definition.versions).length > 1) return [];
  return resetPaths(definition, subresource).filter((path) => !path.includes('.') && path !== 'metadata');
}

interface OwnedChange {
  readonly next: DeepMutable<KubeObject>;
  readonly old: KubeObject | undefined;
  /** About how many bytes the object has. */
  readonly size: number;
}

/** Gives an object the managedFields that it has once it has taken the place of `old`; both in the stored version. */
export async function ownChange(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { next, old, size }: OwnedChange,
): Promise<void> {
  const aside = old ? setBack(served, context.request.subresource) : [];
  const write = writeOf(registry, served, context, { old, aside });
  await registry.large.giveWay(size);
  const { value, fields } = plain(registry, convertedFrom(served, next), served.version, aside);
  await registry.large.giveWay(size);
  setManagedFields(next, await managedAfterUpdate(write, value, fields));
}

/** Merges an applied configuration into the stored `old`, or into nothing: the object in the version of the request. */
export function applyTo(
  registry: Registry,
  served: ServedVersion,
  context: RequestContext,
  { patch, old }: { readonly patch: ApplyPatch; readonly old: KubeObject | undefined },
): Promise<AppliedObject> {
  return managedApply(writeOf(registry, served, context, { old }), patch);
}

/** Where the versions of a resource have the replicas that its scale shows. */
export function replicasPaths({ resource: { definition } }: ServedVersion, path: string): ReplicasPaths {
  const steps = path
    .split('.')
    .filter((step) => step !== '')
    .map(memberElement);
  return new Map(Object.values(definition.versions).map(({ type }) => [apiVersionOf(type), steps]));
}

/** A write of an object that is of no resource (`Scale`), whose managedFields are kept elsewhere. */
export function writeOfPart(
  registry: Registry,
  context: RequestContext,
  part: {
    readonly message: string;
    readonly live: KubeObject;
    readonly fields: readonly ManagedFieldsEntry[];
  },
): ManagedWrite {
  const { subresource } = context.request;
  const { apiVersion, kind } = part.live;
  const structure = structureOfMessage(registry.schema, part.message);
  const encoded = (object: object): unknown => written(registry, object, part.message);
  return {
    versions: {
      structure: (version) => (version === apiVersion ? structure : undefined),
      empty: () => encoded({ apiVersion, kind }),
      convert: (value) => Promise.resolve(value),
      filter: (set) => set,
    },
    apiVersion,
    ...(subresource === undefined ? {} : { subresource }),
    manager: requestManager(context),
    now: timestamp(registry.clock.now()),
    live: encoded(part.live),
    liveFields: part.fields,
  };
}

/** Sets what an object has of managedFields; nothing when there are none. */
export function setManagedFields(
  object: DeepMutable<KubeObject>,
  entries: readonly ManagedFieldsEntry[] | undefined,
): void {
  if (entries && entries.length > 0)
    object.metadata.managedFields = entries as DeepMutable<ManagedFieldsEntry>[];
  else delete object.metadata.managedFields;
}

/** Lets plug-ins change an object; managedFields that they leave malformed are set back, with a warning. */
export async function admitOwned(
  object: DeepMutable<KubeObject>,
  context: RequestContext,
  admit: () => Promise<void>,
): Promise<void> {
  const { managedFields } = object.metadata;
  await admit();
  if (object.metadata.managedFields === managedFields) return;
  try {
    decodeManagers(object.metadata.managedFields);
  } catch (error) {
    if (!(error instanceof MalformedManagers)) throw error;
    setManagedFields(object, managedFields);
    context.warn(
      `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${error.message}`,
    );
  }
}

/** Whether two objects have the same owners, whenever those wrote. */
export function sameOwners(a: KubeObject, b: KubeObject): boolean {
  const [left = [], right = []] = [a.metadata.managedFields, b.metadata.managedFields];
  if (left === right) return true;
  if (left.length !== right.length) return false;
  return left.every((entry, index) => {
    const other = right[index];
    return other !== undefined && (entry === other || withoutTime(entry) === withoutTime(other));
  });
}

function withoutTime({ time: _time, ...entry }: ManagedFieldsEntry): string {
  return JSON.stringify(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
