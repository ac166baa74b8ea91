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

/** The first name of a switch that no plug-in has; undefined when all are known. */
export function unknownPlugin(
  plugins: readonly AdmissionPlugin[],
  { enable = [], disable = [] }: PluginSwitches,
): string | undefined {
  return [...enable, ...disable].find((name) => !plugins.some((plugin) => plugin.name === name));
}

/** The plug-ins that run, in upstream's order. */
export function selectPlugins(
  plugins: readonly AdmissionPlugin[],
  { enable = [], disable = [] }: PluginSwitches,
): AdmissionPlugin[] {
  return plugins
    .filter(({ name }) => enable.includes(name) || (!optional.has(name) && !disable.includes(name)))
    .toSorted((a, b) => rank(a) - rank(b));
}
