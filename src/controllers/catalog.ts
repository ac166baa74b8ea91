import type { Authority } from '../machinery/x509/issue-certificate.ts';
import type { Controller } from '../reconcile/controller.ts';
import { bootstrapSignerController } from './bootstrap-tokens/bootstrap-signer.ts';
import { tokenCleanerController } from './bootstrap-tokens/token-cleaner.ts';
import { clusterRoleAggregationController } from './cluster-role-aggregation/controller.ts';
import { csrApprovingController } from './certificates/approving-controller.ts';
import { csrCleanerController } from './certificates/cleaner-controller.ts';
import { csrSigningController } from './certificates/signing-controller.ts';
import { cronJobController } from './cron-job/controller.ts';
import { daemonSetController } from './daemon-set/controller.ts';
import { deploymentController } from './deployment/controller.ts';
import { disruptionController } from './disruption/controller.ts';
import { endpointSliceMirroringController } from './endpoint-slice-mirroring/controller.ts';
import { ephemeralVolumeController } from './ephemeral-volume/controller.ts';
import { resourceClaimController } from './resource-claim/controller.ts';
import { volumeExpansionController } from './volume-expansion/controller.ts';
import { attachDetachController } from './attach-detach/controller.ts';
import { apiServerLeaseCollector } from './apiserver-lease/controller.ts';
import { deviceTaintEvictionController } from './device-taint-eviction/controller.ts';
import { legacyTokenCleaner } from './legacy-token-cleaner/controller.ts';
import { endpointSliceController } from './endpoint-slice/controller.ts';
import { endpointsController } from './endpoints/controller.ts';
import { garbageCollector } from './garbage-collector/controller.ts';
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/controller.ts';
import { jobController } from './job/controller.ts';
import { namespaceController } from './namespace/controller.ts';
import {
  defaultNodeLifecycleSettings,
  nodeLifecycleController,
  type NodeLifecycleSettings,
} from './node-lifecycle/controller.ts';
import { nodeIpamController, type NodeIpamOptions } from './node-ipam/controller.ts';
import { nodeTtlController } from './node-ttl/controller.ts';
import { persistentVolumeBinder } from './persistent-volume-binder/controller.ts';
import { podGarbageCollector } from './pod-gc/controller.ts';
import { validatingPolicyStatusController } from './policy-status/controller.ts';
import { replicaSetController } from './replica-set/controller.ts';
import { resourceQuotaController } from './resource-quota/controller.ts';
import { replicationController } from './replication-controller/controller.ts';
import { rootCaController } from './root-ca/controller.ts';
import { serviceAccountController } from './service-account/controller.ts';
import { serviceAccountTokenController } from './service-account-token/controller.ts';
import type { LegacyTokenClaims } from './service-account-token/plan.ts';
import { serviceCidrController } from './service-cidr/controller.ts';
import { serviceLoadBalancerController } from './service-load-balancer/controller.ts';
import { attributesClassProtectionController } from './storage-protection/attributes-class-protection.ts';
import { claimProtectionController } from './storage-protection/claim-protection.ts';
import { volumeProtectionController } from './storage-protection/volume-protection.ts';
import { statefulSetController } from './stateful-set/controller.ts';
import type { BalancerRange } from './service-load-balancer/plan.ts';
import { storageVersionMigrator } from './storage-version-migrator/controller.ts';
import { taintEvictionController } from './taint-eviction/controller.ts';
import { ttlAfterFinishedController } from './ttl-after-finished/controller.ts';

export interface ControllerOptions {
  /** The certificate authority that pods verify the API server with, as PEM. */
  readonly ca: string;
  /** Signs a service-account token that has no end; without it token secrets stay empty. */
  readonly signLegacyToken?: (claims: LegacyTokenClaims) => string;
  /** What certificate requests are signed with; without it they stay unsigned. */
  readonly signingAuthority?: Authority;
  /** Addresses for services of type LoadBalancer; without it they get none. */
  readonly loadBalancerRange?: BalancerRange;
  /** When a node counts as lost; what is absent is upstream's. */
  readonly nodeLifecycle?: Partial<NodeLifecycleSettings>;
  /** Networks for the pods of nodes that come without one; without it they get none. */
  readonly nodeIpam?: NodeIpamOptions;
}

/** Every controller there is. */
export function allControllers({
  ca,
  loadBalancerRange,
  nodeIpam,
  nodeLifecycle,
  signLegacyToken,
  signingAuthority,
}: ControllerOptions): readonly Controller[] {
  return [
    serviceAccountController,
    ...(signLegacyToken ? [serviceAccountTokenController({ ca, sign: signLegacyToken })] : []),
    clusterRoleAggregationController,
    tokenCleanerController,
    bootstrapSignerController,
    rootCaController(ca),
    deploymentController,
    replicaSetController,
    replicationController,
    daemonSetController,
    statefulSetController,
    jobController,
    cronJobController,
    ttlAfterFinishedController,
    disruptionController,
    horizontalPodAutoscalerController,
    endpointsController,
    endpointSliceController,
    endpointSliceMirroringController,
    namespaceController,
    resourceQuotaController,
    garbageCollector,
    podGarbageCollector,
    nodeLifecycleController({ ...defaultNodeLifecycleSettings, ...nodeLifecycle }),
    taintEvictionController,
    ...(nodeIpam ? [nodeIpamController(nodeIpam)] : []),
    nodeTtlController,
    serviceCidrController,
    persistentVolumeBinder,
    volumeExpansionController,
    ephemeralVolumeController,
    attachDetachController,
    resourceClaimController,
    deviceTaintEvictionController,
    legacyTokenCleaner,
    storageVersionMigrator,
    apiServerLeaseCollector,
    claimProtectionController,
    volumeProtectionController,
    attributesClassProtectionController,
    validatingPolicyStatusController,
    csrApprovingController,
    ...(signingAuthority ? [csrSigningController(signingAuthority)] : []),
    csrCleanerController,
    ...(loadBalancerRange ? [serviceLoadBalancerController(loadBalancerRange)] : []),
  ];
}
