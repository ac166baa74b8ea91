import {
  mutatingAdmissionPolicies,
  validatingAdmissionPolicies,
} from './admissionregistration/admission-policies.ts';
import {
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicyBindings,
} from './admissionregistration/policy-bindings.ts';
import {
  mutatingWebhookConfigurations,
  validatingWebhookConfigurations,
} from './admissionregistration/webhook-configurations.ts';
import { controllerRevisions } from './apps/controller-revisions.ts';
import { daemonSets } from './apps/daemon-sets.ts';
import { customResourceDefinitions } from './apiextensions/custom-resource-definitions.ts';
import { deployments } from './apps/deployments.ts';
import { replicaSets } from './apps/replica-sets.ts';
import { statefulSets } from './apps/stateful-sets.ts';
import { identityReviews, type AuthenticationOptions } from './authentication/token-reviews.ts';
import { accessReviews } from './authorization/access-reviews.ts';
import type { AuthorizationOptions } from './authorization/authorizer.ts';
import { horizontalPodAutoscalers } from './autoscaling/horizontal-pod-autoscalers.ts';
import { cronJobs } from './batch/cron-jobs.ts';
import { jobs } from './batch/jobs.ts';
import { certificateSigningRequests } from './certificates/certificate-signing-requests.ts';
import { leases } from './coordination/leases.ts';
import { bindings } from './core/bindings.ts';
import { componentStatuses, type ComponentOptions } from './core/component-statuses.ts';
import { configMaps } from './core/config-maps.ts';
import { endpoints } from './core/endpoints.ts';
import { events } from './core/events.ts';
import { limitRanges } from './core/limit-ranges.ts';
import { namespaces } from './core/namespaces.ts';
import { nodes } from './core/nodes.ts';
import { persistentVolumeClaims } from './core/persistent-volume-claims.ts';
import { persistentVolumes } from './core/persistent-volumes.ts';
import { podTemplates } from './core/pod-templates.ts';
import { pods } from './core/pods.ts';
import { replicationControllers } from './core/replication-controllers.ts';
import { resourceQuotas } from './core/resource-quotas.ts';
import { secrets } from './core/secrets.ts';
import { serviceAccounts, type TokenOptions } from './core/service-accounts.ts';
import { services, type ServiceOptions } from './core/services.ts';
import { apiServices } from './apiregistration/api-services.ts';
import { endpointSlices } from './discovery/endpoint-slices.ts';
import { ingressClasses } from './networking/ingress-classes.ts';
import { ingresses } from './networking/ingresses.ts';
import { ipAddresses } from './networking/ip-addresses.ts';
import { networkPolicies } from './networking/network-policies.ts';
import { serviceCidrs } from './networking/service-cidrs.ts';
import { runtimeClasses } from './node/runtime-classes.ts';
import { podDisruptionBudgets } from './policy/pod-disruption-budgets.ts';
import { flowSchemas } from './flowcontrol/flow-schemas.ts';
import { priorityLevelConfigurations } from './flowcontrol/priority-level-configurations.ts';
import { clusterRoleBindings, roleBindings } from './rbac/bindings.ts';
import { clusterRoles } from './rbac/cluster-roles.ts';
import { roles } from './rbac/roles.ts';
import type { AnyResource } from './resource.ts';
import { deviceClasses } from './resource/device-classes.ts';
import { resourceClaimTemplates } from './resource/resource-claim-templates.ts';
import { resourceClaims } from './resource/resource-claims.ts';
import { resourceSlices } from './resource/resource-slices.ts';
import { priorityClasses } from './scheduling/priority-classes.ts';
import { csiDrivers } from './storage/csi-drivers.ts';
import { csiNodes } from './storage/csi-nodes.ts';
import { csiStorageCapacities } from './storage/csi-storage-capacities.ts';
import { storageClasses } from './storage/storage-classes.ts';
import { volumeAttachments } from './storage/volume-attachments.ts';
import { volumeAttributesClasses } from './storage/volume-attributes-classes.ts';

/** What definitions need of the server that serves them. */
export interface CatalogOptions
  extends TokenOptions, AuthenticationOptions, AuthorizationOptions, ComponentOptions, ServiceOptions {
  /** Where services get their addresses from: `10.96.0.0/16`, or one range of each family (`10.96.0.0/16,fd00:10:96::/112`). */
  readonly serviceCidr: string;
}

/** Every built-in resource, by group. */
export function builtinResources(options: CatalogOptions): AnyResource[] {
  return [
    bindings,
    componentStatuses(options),
    configMaps,
    endpoints,
    events,
    limitRanges,
    namespaces,
    nodes,
    persistentVolumeClaims,
    persistentVolumes,
    pods,
    podTemplates,
    replicationControllers,
    resourceQuotas,
    secrets,
    serviceAccounts(options),
    services(options),
    controllerRevisions,
    daemonSets,
    deployments,
    replicaSets,
    statefulSets,
    horizontalPodAutoscalers,
    cronJobs,
    jobs,
    podDisruptionBudgets,
    customResourceDefinitions(),
    ...identityReviews(options),
    ...accessReviews(options),
    leases,
    endpointSlices,
    clusterRoleBindings,
    clusterRoles,
    roleBindings,
    roles,
    priorityClasses,
    mutatingAdmissionPolicies,
    mutatingAdmissionPolicyBindings,
    mutatingWebhookConfigurations,
    validatingAdmissionPolicies,
    validatingAdmissionPolicyBindings,
    validatingWebhookConfigurations,
    certificateSigningRequests,
    ingressClasses,
    ingresses,
    ipAddresses,
    networkPolicies,
    serviceCidrs,
    runtimeClasses,
    deviceClasses,
    resourceClaims,
    resourceClaimTemplates,
    resourceSlices,
    csiDrivers,
    csiNodes,
    csiStorageCapacities,
    storageClasses,
    volumeAttachments,
    volumeAttributesClasses,
    flowSchemas,
    priorityLevelConfigurations,
    apiServices,
  ];
}
