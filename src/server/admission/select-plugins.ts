import type { AdmissionPlugin } from './admission-chain.ts';

/** Which plug-ins run beyond upstream's choice, and which do not: `--enable-admission-plugins`, `--disable-admission-plugins`. */
export interface PluginSwitches {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
}

/** Upstream's order; what is not in it runs before the policies. */
const order: readonly string[] = [
  'AlwaysAdmit',
  'NamespaceAutoProvision',
  'NamespaceLifecycle',
  'NamespaceExists',
  'LimitRanger',
  'ServiceAccount',
  'NodeRestriction',
  'TaintNodesByCondition',
  'AlwaysPullImages',
  'ImagePolicyWebhook',
  'PodSecurity',
  'PodNodeSelector',
  'Priority',
  'DefaultTolerationSeconds',
  'PodTolerationRestriction',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'OwnerReferencesPermissionEnforcement',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'ClusterTrustBundleAttest',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'DenyServiceExternalIPs',
  'PodTopologyLabels',
  'NodeDeclaredFeatureValidator',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
  'AlwaysDeny',
];

/** Run only when they are asked for. */
const optional = new Set(['AlwaysPullImages', 'EventRateLimit', 'OwnerReferencesPermissionEnforcement']);

const beforePolicies = order.indexOf('MutatingAdmissionPolicy') - 0.5;

function rank({ name }: AdmissionPlugin): number {
  const index = order.indexOf(name);
  return index < 0 ? beforePolicies : index;
}

/** A switch that names a plug-in which does not exist. */
export class UnknownPluginError extends Error {
  override readonly name = 'UnknownPluginError';
  readonly code = 'UNKNOWN_PLUGIN';
}

/** The plug-ins that run, in upstream's order. Throws {@link UnknownPluginError}. */
export function selectPlugins(
  plugins: readonly AdmissionPlugin[],
  { enable = [], disable = [] }: PluginSwitches,
): AdmissionPlugin[] {
  const unknown = [...enable, ...disable].find((word) => !plugins.some(({ name }) => name === word));
  if (unknown !== undefined) {
    const names = plugins.map(({ name }) => name).sort();
    throw new UnknownPluginError(`admission plug-in "${unknown}" is unknown; known are ${names.join(', ')}`);
  }
  return plugins
    .filter(({ name }) => enable.includes(name) || (!optional.has(name) && !disable.includes(name)))
    .toSorted((a, b) => rank(a) - rank(b));
}
