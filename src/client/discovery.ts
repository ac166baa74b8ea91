import type { APIGroupList, APIResourceList } from '../machinery/meta/v1.gen.ts';
import { apiVersionOf, type KubeObject, type ResourceType } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import type { Transport } from '../machinery/transport.ts';

/** A resource that the server serves. */
export interface ServedResource {
  readonly type: ResourceType<KubeObject>;
  readonly verbs: readonly string[];
  /** Subresources by name: `status`, `scale`, `log`. */
  readonly subresources: readonly string[];
  /** Whether its version is the group's preferred one. */
  readonly preferred: boolean;
}

/** Asks the server what it serves: the core group first, then groups and versions in the server's order. */
export async function discover(
  transport: Transport,
  signal?: AbortSignal,
): Promise<readonly ServedResource[]> {
  const groups = (await transport.raw('/apis', signal)) as APIGroupList;
  const versions = [
    { path: '/api/v1', group: '', version: 'v1', preferred: true },
    ...groups.groups.flatMap(({ name, versions, preferredVersion }) =>
      versions.map(({ groupVersion, version }) => ({
        path: `/apis/${groupVersion}`,
        group: name,
        version,
        preferred: version === (preferredVersion ?? versions[0])?.version,
      })),
    ),
  ];
  const lists = await Promise.all(
    versions.map(async (served) =>
      servedResources(await resourcesAt(transport, served.path, signal), served),
    ),
  );
  return lists.flat();
}

/** A group whose backend is away, or that was removed meanwhile, serves nothing. */
async function resourcesAt(
  transport: Transport,
  path: string,
  signal: AbortSignal | undefined,
): Promise<APIResourceList> {
  try {
    return (await transport.raw(path, signal)) as APIResourceList;
  } catch (error) {
    if (isStatus(error, 'NotFound') || isStatus(error, 'ServiceUnavailable')) {
      return { groupVersion: path, resources: [] };
    }
    throw error;
  }
}

function servedResources(
  { resources }: APIResourceList,
  served: { readonly group: string; readonly version: string; readonly preferred: boolean },
): ServedResource[] {
  const { group, version, preferred } = served;
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => ({
      type: {
        group,
        version,
        resource: resource.name,
        kind: resource.kind,
        namespaced: resource.namespaced,
        singular: resource.singularName || resource.kind.toLowerCase(),
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
      },
      verbs: resource.verbs,
      subresources: resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map(({ name }) => name.slice(resource.name.length + 1)),
      preferred,
    }));
}

/** Finds resource types by the words that people and manifests use. */
export interface RestMapper {
  /** By plural, singular, short name or kind, optionally with group or version and group: `po`, `deploy.apps`, `jobs.v1.batch`. */
  byWord(word: string): ServedResource | undefined;
  /** By the `apiVersion` and `kind` of an object. */
  byKind(apiVersion: string, kind: string): ServedResource | undefined;
  /** All members of a category such as `all`. */
  byCategory(category: string): readonly ServedResource[];
}

/** A mapper over what {@link discover} found. Preferred versions win, then the server's order. */
export function createRestMapper(resources: readonly ServedResource[]): RestMapper {
  const ordered = [...resources.filter((one) => one.preferred), ...resources.filter((one) => !one.preferred)];
  return {
    byWord(word) {
      const text = word.toLowerCase();
      const [name = '', ...rest] = text.split('.');
      const qualifier = rest.join('.');
      return ordered.find(({ type }) => isNamed(type, name) && isOfGroup(type, qualifier));
    },
    byKind: (apiVersion, kind) =>
      ordered.find(({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion),
    byCategory: (category) =>
      ordered.filter((one) => one.preferred && one.type.categories.includes(category)),
  };
}

function isNamed(type: ResourceType<KubeObject>, name: string): boolean {
  return (
    type.resource === name ||
    type.singular === name ||
    type.kind.toLowerCase() === name ||
    type.shortNames.includes(name)
  );
}

function isOfGroup({ group, version }: ResourceType<KubeObject>, qualifier: string): boolean {
  if (qualifier === '') return true;
  if (qualifier === group || qualifier === version || qualifier === `${version}.${group}`) return true;
  return group.startsWith(`${qualifier}.`);
}
