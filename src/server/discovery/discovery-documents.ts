import { createHash } from 'node:crypto';
import { type ResourceDefinition, storedType } from '../../api/resource.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';

type Definition = ResourceDefinition;

/** As discovery lists it. */
export interface Subresource {
  readonly name: string;
  readonly verbs: readonly string[];
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
}

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** One group with its versions, best first, and what each serves. */
export interface ServedGroup {
  readonly name: string;
  readonly versions: readonly {
    readonly version: string;
    readonly resources: readonly (readonly [Definition, ResourceType<KubeObject>])[];
  }[];
}

/**
 * Sorts definitions into groups, in order of their first appearance, but groups that hold old names of others' kinds last, so
 * that clients prefer the new names; versions by Kubernetes' version priority.
 */
export function servedGroups(definitions: readonly Definition[]): readonly ServedGroup[] {
  const groups = new Map<string, Map<string, (readonly [Definition, ResourceType<KubeObject>])[]>>();
  for (const definition of definitions) {
    for (const { type } of Object.values(definition.versions)) {
      const versions =
        groups.get(type.group) ?? new Map<string, (readonly [Definition, ResourceType<KubeObject>])[]>();
      groups.set(type.group, versions);
      versions.set(type.version, [...(versions.get(type.version) ?? []), [definition, type]]);
    }
  }
  const listed = [...groups].map(([name, versions]) => ({
    name,
    versions: [...versions]
      .sort(([a], [b]) => compareVersions(a, b))
      .map(([version, resources]) => ({
        version,
        resources: resources.sort(([, a], [, b]) => (a.resource < b.resource ? -1 : 1)),
      })),
  }));
  return [...listed.filter((group) => !isBorrowed(group)), ...listed.filter(isBorrowed)];
}

function isBorrowed({ versions }: ServedGroup): boolean {
  return versions.every(
    ({ version, resources }) =>
      version.includes('beta') &&
      resources.every(([definition, type]) => storedType(definition).group !== type.group),
  );
}

/** GA before beta before alpha, higher numbers first (apimachinery's `CompareKubeAwareVersionStrings`, descending). */
export function compareVersions(a: string, b: string): number {
  const parse = (text: string): readonly number[] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
    if (!match) return [-1, 0, 0];
    const stage = match[2] === 'alpha' ? 0 : match[2] === 'beta' ? 1 : 2;
    return [stage, Number(match[1]), Number(match[3] ?? 0)];
  };
  const [left, right] = [parse(a), parse(b)];
  for (let at = 0; at < left.length; at += 1) {
    const difference = (right[at] ?? 0) - (left[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `APIVersions` of `/api`. */
export function legacyVersions(serverAddress: string): object {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `APIGroupList` of `/apis`. */
export function groupList(groups: readonly ServedGroup[]): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter(({ name }) => name !== '').map(groupBody),
  };
}

/** `APIGroup` of `/apis/GROUP`. */
export function groupDocument(group: ServedGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupBody(group) };
}

function groupBody(group: ServedGroup): object {
  const versions = group.versions.map(({ version }) => ({
    groupVersion: `${group.name}/${version}`,
    version,
  }));
  return { name: group.name, versions, preferredVersion: versions[0] };
}

/** `APIResourceList` of `/api/v1` and `/apis/GROUP/VERSION`. */
export function resourceList(group: ServedGroup, version: string): object | undefined {
  const served = group.versions.find((entry) => entry.version === version);
  if (!served) return undefined;
  const resources = served.resources.flatMap(([definition, type]) => [
    {
      name: type.resource,
      singularName: type.singular,
      namespaced: type.namespaced,
      kind: type.kind,
      verbs: verbsOf(definition),
      ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
      ...(type.categories.length > 0 && { categories: type.categories }),
      ...(isStored(definition) && { storageVersionHash: storageVersionHash(definition) }),
    },
    ...subresourcesOf(definition, type).map(({ name, verbs, kind }) => ({
      name: `${type.resource}/${name}`,
      singularName: '',
      namespaced: type.namespaced,
      ...((kind.group !== type.group || kind.version !== type.version) && {
        group: kind.group,
        version: kind.version,
      }),
      kind: kind.kind,
      verbs,
    })),
  ]);
  return {
    kind: 'APIResourceList',
    ...(group.name !== '' && { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group: group.name, version }),
    resources,
  };
}

/** An `APIGroupDiscoveryList` (`apidiscovery.k8s.io/v2`). */
export interface AggregatedDocument {
  readonly kind: 'APIGroupDiscoveryList';
  readonly apiVersion: string;
  readonly metadata: object;
  readonly items: readonly AggregatedGroup[];
}

/** One group of the document, with the resources of each version. */
export interface AggregatedGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly resources?: readonly object[];
    readonly freshness?: string;
  }[];
}

/** `APIGroupDiscoveryList` (`apidiscovery.k8s.io/v2`): `/api` has the core group alone, `/apis` all others. */
export function aggregatedDiscovery(groups: readonly ServedGroup[]): AggregatedDocument {
  const items = groups.map((group) => ({
    metadata: group.name === '' ? {} : { name: group.name },
    versions: group.versions.map(({ version, resources }) => ({
      version,
      resources: resources.map(([definition, type]) => {
        const subresources = subresourcesOf(definition, type).map(({ name, verbs, kind }) => ({
          subresource: name,
          responseKind: responseKind(kind, type),
          verbs,
        }));
        return {
          resource: type.resource,
          responseKind: responseKind(type, type),
          scope: type.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: type.singular,
          verbs: verbsOf(definition),
          ...(type.shortNames.length > 0 && { shortNames: type.shortNames }),
          ...(type.categories.length > 0 && { categories: type.categories }),
          ...(subresources.length > 0 && { subresources }),
        };
      }),
      freshness: 'Current',
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

/** Upstream names group and version only where they are not those of the resource. */
function responseKind(
  kind: Subresource['kind'],
  own: Pick<ResourceType<KubeObject>, 'group' | 'version'>,
): Subresource['kind'] {
  const same = kind.group === own.group && kind.version === own.version;
  return { group: same ? '' : kind.group, version: same ? '' : kind.version, kind: kind.kind };
}

function isStored(definition: Definition): boolean {
  return definition.review === undefined && definition.compute === undefined;
}

/** What clients may do with the resource, as discovery lists it. */
export function verbsOf(definition: Definition): readonly string[] {
  if (definition.review) return ['create'];
  if (definition.compute) return ['get', 'list'];
  return definition.withoutDeleteCollection
    ? allVerbs.filter((verb) => verb !== 'deletecollection')
    : allVerbs;
}

/** The subresources of one version, by name. */
export function subresourcesOf(
  definition: Definition,
  type: ResourceType<KubeObject>,
): readonly Subresource[] {
  const own = { group: type.group, version: type.version, kind: type.kind };
  const readWrite = ['get', 'patch', 'update'];
  const list: Subresource[] = Object.entries(definition.subresources ?? {}).map(
    ([name, { verbs, kind }]) => ({
      name,
      verbs: [...verbs].sort(),
      kind: kind.kind === type.kind ? own : kind,
    }),
  );
  if (definition.status) list.push({ name: 'status', verbs: readWrite, kind: own });
  if (definition.scale)
    list.push({
      name: 'scale',
      verbs: readWrite,
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    });
  return list.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The first eight bytes of a digest of the stored group, version and kind, as upstream's `StorageVersionHash`. */
function storageVersionHash(definition: Definition): string {
  const own = definition.versions[definition.storage];
  const type = own?.custom?.stored ?? own?.type;
  const version = definition.upstreamStorage ?? type?.version;
  return createHash('sha256')
    .update(`${type?.group}/${version}/${type?.kind}`)
    .digest()
    .subarray(0, 8)
    .toString('base64');
}
