import { leases } from './coordination/leases.ts';
import { configMaps } from './core/config-maps.ts';
import { namespaces } from './core/namespaces.ts';
import { secrets } from './core/secrets.ts';
import { serviceAccounts, type TokenOptions } from './core/service-accounts.ts';
import { clusterRoleBindings, roleBindings } from './rbac/bindings.ts';
import { clusterRoles } from './rbac/cluster-roles.ts';
import { roles } from './rbac/roles.ts';
import type { AnyResource } from './resource.ts';
import { priorityClasses } from './scheduling/priority-classes.ts';

/** What definitions need of the server that serves them. */
export interface CatalogOptions extends TokenOptions {}

/** Every built-in resource, by group. */
export function builtinResources(options: CatalogOptions): AnyResource[] {
  return [
    configMaps,
    namespaces,
    secrets,
    serviceAccounts(options),
    leases,
    clusterRoleBindings,
    clusterRoles,
    roleBindings,
    roles,
    priorityClasses,
  ];
}
