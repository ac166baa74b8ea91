import { deployments } from './apps/deployments.ts';
import { replicaSets } from './apps/replica-sets.ts';
import { identityReviews, type AuthenticationOptions } from './authentication/token-reviews.ts';
import { accessReviews } from './authorization/access-reviews.ts';
import type { AuthorizationOptions } from './authorization/authorizer.ts';
import { jobs } from './batch/jobs.ts';
import { leases } from './coordination/leases.ts';
import { bindings } from './core/bindings.ts';
import { configMaps } from './core/config-maps.ts';
import { endpoints } from './core/endpoints.ts';
import { events } from './core/events.ts';
import { namespaces } from './core/namespaces.ts';
import { nodes } from './core/nodes.ts';
import { pods } from './core/pods.ts';
import { secrets } from './core/secrets.ts';
import { serviceAccounts, type TokenOptions } from './core/service-accounts.ts';
import { services } from './core/services.ts';
import { endpointSlices } from './discovery/endpoint-slices.ts';
import { clusterRoleBindings, roleBindings } from './rbac/bindings.ts';
import { clusterRoles } from './rbac/cluster-roles.ts';
import { roles } from './rbac/roles.ts';
import type { AnyResource } from './resource.ts';
import { priorityClasses } from './scheduling/priority-classes.ts';

/** What definitions need of the server that serves them. */
export interface CatalogOptions extends TokenOptions, AuthenticationOptions, AuthorizationOptions {
  /** Where services get their addresses from: an IPv4 range such as `10.96.0.0/16`. */
  readonly serviceCidr: string;
}

/** Every built-in resource, by group. */
export function builtinResources(options: CatalogOptions): AnyResource[] {
  return [
    bindings,
    configMaps,
    endpoints,
    events,
    namespaces,
    nodes,
    pods,
    secrets,
    serviceAccounts(options),
    services(options),
    deployments,
    replicaSets,
    jobs,
    ...identityReviews(options),
    ...accessReviews(options),
    leases,
    endpointSlices,
    clusterRoleBindings,
    clusterRoles,
    roleBindings,
    roles,
    priorityClasses,
  ];
}
