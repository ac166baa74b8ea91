import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../api/rbac/v1.gen.ts';
import { clusterrolebindings, clusterroles, rolebindings, roles } from '../api/rbac/v1.gen.ts';
import { apiVersionOf, type KubeObject, type Live, type ResourceType } from '../machinery/object.ts';
import type { Lookup } from './admission/lookup.ts';
import type { PolicySource } from './auth/rbac-authorizer.ts';
import { storageKey, type ResourceTable } from './registry/served-resource.ts';

/** Reads objects, in their stored version, straight from the caches. What is not served is not there. */
export function cacheLookup(table: () => ResourceTable): Lookup {
  return {
    get<T extends KubeObject>(type: ResourceType<T>, namespace: string, name: string): Live<T> | undefined {
      const resource = table().stored(type.group, type.resource);
      const entry = resource?.cache.get(storageKey(resource, namespace, name));
      return entry && (resource?.cache.object(entry) as Live<T> | undefined);
    },
    *list<T extends KubeObject>(type: ResourceType<T>, namespace?: string): Iterable<Live<T>> {
      const resource = table().stored(type.group, type.resource);
      if (!resource) return;
      const { prefix } = resource.cache;
      const range = namespace === undefined ? prefix : `${prefix}${namespace}/`;
      for (const entry of resource.cache.current().range(range)) {
        yield resource.cache.object(entry) as Live<T>;
      }
    },
  };
}

/** The roles and bindings as the caches hold them. */
export function policySource(table: () => ResourceTable, lookup: Lookup): PolicySource {
  return {
    clusterRole: (name) => lookup.get<ClusterRole>(clusterroles, '', name),
    role: (namespace, name) => lookup.get<Role>(roles, namespace, name),
    clusterRoleBindings: () => lookup.list<ClusterRoleBinding>(clusterrolebindings),
    *roleBindings(namespace): Iterable<RoleBinding> {
      const resource = table().stored(rolebindings.group, rolebindings.resource);
      if (!resource) return;
      for (const entry of resource.cache.current().range(`${resource.cache.prefix}${namespace}/`)) {
        yield resource.cache.object(entry) as Live<RoleBinding>;
      }
    },
  };
}

/** Finds the resource that serves a kind. */
export function kindLookup(
  table: () => ResourceTable,
): (apiVersion: string, kind: string) => ResourceType<KubeObject> | undefined {
  return (apiVersion, kind) =>
    table()
      .definitions.flatMap(({ versions }) => Object.values(versions))
      .find(({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion)?.type;
}
