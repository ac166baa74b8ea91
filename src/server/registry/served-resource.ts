import {
  storedType,
  type AnyResource,
  type ResourceDefinition,
  type ResourceVersion,
} from '../../api/resource.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import type { GroupKind, GroupResource } from '../../machinery/group-resource.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
import type { ResourceCache } from '../watch/resource-cache.ts';

/** A resource with its cache: everything that all its versions share. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  /** The version that is stored. */
  readonly stored: ResourceType<KubeObject>;
  readonly cache: ResourceCache;
  /**
   * Waits until the cache can answer a request, any without one; rejects with a `StatusError`. For custom resources that a
   * webhook converts.
   */
  ready?(request?: Pick<ApiRequest, 'verb' | 'namespace' | 'name'>): Promise<void>;
}

/** A resource in the version that a request names. */
export interface ServedVersion {
  readonly resource: ServedResource;
  readonly version: ResourceVersion<KubeObject>;
  readonly type: ResourceType<KubeObject>;
}

/** `/registry/<group or core>/<resource>/`. */
export function storagePrefix(type: ResourceType<KubeObject>): string {
  return `/registry/${type.group || 'core'}/${type.resource}/`;
}

/** Where an object of the resource is stored. */
export function storageKey(resource: ServedResource, namespace: string | undefined, name: string): string {
  return resource.stored.namespaced
    ? `${resource.cache.prefix}${namespace ?? ''}/${name}`
    : `${resource.cache.prefix}${name}`;
}

/** A definition whose hooks take what the server decoded by that definition's own schema. */
export function erased(definition: AnyResource): ResourceDefinition {
  return definition;
}

/** Every resource that is served, found by group, version and plural name. Resources come and go while the server runs. */
export class ResourceTable {
  #resources: readonly ServedResource[] = [];
  #definitions: readonly ResourceDefinition[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #versions = new Map<string, ServedVersion>();
  readonly #groups = new Map<string, number>();

  constructor(
    definitions: readonly AnyResource[],
    cacheOf: (definition: ResourceDefinition) => ResourceCache,
  ) {
    this.change(
      definitions.map((definition) => {
        const known = erased(definition);
        return { definition: known, stored: storedType(known), cache: cacheOf(known) };
      }),
      [],
    );
  }

  /** A new array after each change. */
  get resources(): readonly ServedResource[] {
    return this.#resources;
  }

  /** A new array after each change. */
  get definitions(): readonly ResourceDefinition[] {
    return this.#definitions;
  }

  /** Serves some resources, and others no longer, from the next request on. */
  change(added: readonly ServedResource[], removed: readonly ServedResource[]): void {
    for (const resource of removed) this.#each(resource, (key) => this.#versions.delete(key), -1);
    for (const resource of added) {
      this.#each(resource, (key, version) => this.#versions.set(key, version), 1);
    }
    const gone = new Set(removed);
    this.#resources = [...this.#resources.filter((resource) => !gone.has(resource)), ...added];
    this.#definitions = this.#resources.map(({ definition }) => definition);
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` after each change. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  #each(resource: ServedResource, take: (key: string, version: ServedVersion) => void, count: 1 | -1): void {
    for (const version of Object.values(resource.definition.versions)) {
      const { type } = version;
      take(`${type.group}/${type.version}/${type.resource}`, { resource, version, type });
      this.#groups.set(type.group, (this.#groups.get(type.group) ?? 0) + count);
    }
  }

  get(group: string, version: string, resource: string): ServedVersion | undefined {
    return this.#versions.get(`${group}/${version}/${resource}`);
  }

  /** Whether any version of the group is served; the core group is the empty one. */
  hasGroup(group: string): boolean {
    return group === '' || (this.#groups.get(group) ?? 0) > 0;
  }

  /** Whether a group has custom resources. */
  isCustomGroup(group: string): boolean {
    return [...this.#versions.values()].some(
      ({ type, version }) => type.group === group && version.custom !== undefined,
    );
  }

  /** In the stored version; undefined when it is not served. */
  stored(group: string, resource: string): ServedResource | undefined {
    return this.#resources.find(({ stored }) => stored.group === group && stored.resource === resource);
  }

  versions(): Iterable<ServedVersion> {
    return this.#versions.values();
  }
}

/** The kind of lists of it. */
export function listKind({ version, type }: ServedVersion): string {
  return version.custom?.listKind ?? `${type.kind}List`;
}

/** How messages name the resource. */
export function groupResource(served: ServedVersion): GroupResource {
  return { group: served.type.group, resource: served.type.resource };
}

/** How messages name the kind: as it is stored, whatever version was asked for. */
export function groupKind({ resource: { stored } }: ServedVersion): GroupKind {
  return { group: stored.group, kind: stored.kind };
}
