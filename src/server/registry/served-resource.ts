import {
  storedType,
  type AnyResource,
  type ResourceDefinition,
  type ResourceVersion,
} from '../../api/resource.ts';
import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import type { GroupKind, GroupResource } from '../../machinery/group-resource.ts';
import type { ResourceCache } from '../watch/resource-cache.ts';

/** A resource with its cache: everything that all its versions share. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  /** The version that is stored. */
  readonly stored: ResourceType<KubeObject>;
  readonly cache: ResourceCache;
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

/** Every resource that is served, found by group, version and plural name. */
export class ResourceTable {
  readonly resources: readonly ServedResource[];
  readonly #versions = new Map<string, ServedVersion>();

  constructor(
    definitions: readonly AnyResource[],
    cacheOf: (definition: ResourceDefinition) => ResourceCache,
  ) {
    this.resources = definitions.map((definition) => {
      const resource = {
        definition: erased(definition),
        stored: storedType(erased(definition)),
        cache: cacheOf(erased(definition)),
      };
      for (const version of Object.values(resource.definition.versions)) {
        const type = version.type;
        this.#versions.set(`${type.group}/${type.version}/${type.resource}`, { resource, version, type });
      }
      return resource;
    });
  }

  get(group: string, version: string, resource: string): ServedVersion | undefined {
    return this.#versions.get(`${group}/${version}/${resource}`);
  }

  /** Whether any version of the group is served; the core group is the empty one. */
  hasGroup(group: string): boolean {
    return group === '' || [...this.#versions.values()].some(({ type }) => type.group === group);
  }

  /** In the stored version; undefined when it is not served. */
  stored(group: string, resource: string): ServedResource | undefined {
    return this.resources.find(({ stored }) => stored.group === group && stored.resource === resource);
  }

  versions(): Iterable<ServedVersion> {
    return this.#versions.values();
  }
}

/** How messages name the resource. */
export function groupResource(served: ServedVersion): GroupResource {
  return { group: served.type.group, resource: served.type.resource };
}

/** How messages name the kind: as it is stored, whatever version was asked for. */
export function groupKind({ resource: { stored } }: ServedVersion): GroupKind {
  return { group: stored.group, kind: stored.kind };
}
