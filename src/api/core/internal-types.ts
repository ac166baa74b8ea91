import { internalForm } from '../internal-form.ts';

/** What volumes are, apart from the sources of persistent volumes. */
const volumeTypes = `
Volume: Name +VolumeSource
VolumeSource: HostPath*HostPath EmptyDir*EmptyDir GCEPersistentDisk*GCEPersistentDisk AWSElasticBlockStore*AWSElasticBlockStore GitRepo*GitRepo Secret*SecretVolume NFS*NFS ISCSI*ISCSI Glusterfs*Glusterfs PersistentVolumeClaim*ClaimVolume RBD*RBD Quobyte*Quobyte FlexVolume*FlexVolume Cinder*Cinder CephFS*CephFS Flocker*Flocker DownwardAPI*DownwardAPIVolume FC*FC AzureFile*AzureFile ConfigMap*ConfigMapVolume VsphereVolume*Vsphere AzureDisk*AzureDisk PhotonPersistentDisk*Photon Projected*Projected PortworxVolume*Portworx ScaleIO*ScaleIO StorageOS*StorageOS CSI*CSI Ephemeral*Ephemeral Image*ImageVolume
HostPath: Path Type?
EmptyDir: Medium SizeLimit?
GCEPersistentDisk: PDName FSType Partition# ReadOnly!
AWSElasticBlockStore: VolumeID FSType Partition# ReadOnly!
GitRepo: Repository Revision Directory
SecretVolume: SecretName Items[KeyToPath DefaultMode? Optional?
KeyToPath: Key Path Mode?
NFS: Server Path ReadOnly!
ISCSI: TargetPortal IQN Lun# ISCSIInterface FSType ReadOnly! Portals? DiscoveryCHAPAuth(chapAuthDiscovery)! SessionCHAPAuth(chapAuthSession)! SecretRef*LocalReference InitiatorName?
Glusterfs: EndpointsName(endpoints) Path ReadOnly!
ClaimVolume: ClaimName ReadOnly!
RBD: CephMonitors(monitors)? RBDImage(image) FSType RBDPool(pool) RadosUser(user) Keyring SecretRef*LocalReference ReadOnly!
Quobyte: Registry Volume ReadOnly! User Group Tenant
FlexVolume: Driver FSType SecretRef*LocalReference ReadOnly! Options?
Cinder: VolumeID FSType ReadOnly! SecretRef*LocalReference
CephFS: Monitors? Path User SecretFile SecretRef*LocalReference ReadOnly!
Flocker: DatasetName DatasetUUID
DownwardAPIVolume: Items[DownwardAPIFile DefaultMode?
DownwardAPIFile: Path FieldRef*ObjectField ResourceFieldRef*ResourceField Mode?
ObjectField: APIVersion FieldPath
ResourceField: ContainerName Resource Divisor%
FC: TargetWWNs? Lun? FSType ReadOnly! WWIDs?
AzureFile: SecretName ShareName ReadOnly!
ConfigMapVolume: Name Items[KeyToPath DefaultMode? Optional?
Vsphere: VolumePath FSType StoragePolicyName StoragePolicyID
AzureDisk: DiskName DataDiskURI(diskURI) CachingMode? FSType? ReadOnly? Kind?
Photon: PdID FSType
Projected: Sources[Projection DefaultMode?
Projection: Secret*KeyProjection DownwardAPI*DownwardAPIProjection ConfigMap*KeyProjection ServiceAccountToken*TokenProjection ClusterTrustBundle*TrustBundleProjection PodCertificate*CertificateProjection
KeyProjection: Name Items[KeyToPath Optional?
DownwardAPIProjection: Items[DownwardAPIFile
TokenProjection: Audience ExpirationSeconds# Path
TrustBundleProjection: Name? SignerName? LabelSelector? Optional? Path
CertificateProjection: SignerName KeyType MaxExpirationSeconds? CredentialBundlePath KeyPath CertificateChainPath UserAnnotations?
Portworx: VolumeID FSType ReadOnly!
ScaleIO: Gateway System SecretRef*LocalReference SSLEnabled! ProtectionDomain StoragePool StorageMode VolumeName FSType ReadOnly!
StorageOS: VolumeName VolumeNamespace FSType ReadOnly! SecretRef*LocalReference
CSI: Driver ReadOnly? FSType? VolumeAttributes? NodePublishSecretRef*LocalReference
Ephemeral: VolumeClaimTemplate*ClaimTemplate
ClaimTemplate: +ObjectMeta Spec:PersistentVolumeClaimSpec
PersistentVolumeClaimSpec: AccessModes? Selector? Resources:VolumeResources VolumeName StorageClassName? VolumeMode? DataSource*TypedLocalReference DataSourceRef*TypedReference VolumeAttributesClassName?
VolumeResources: Limits? Requests?
TypedLocalReference: APIGroup? Kind Name
TypedReference: APIGroup? Kind Name Namespace?
ImageVolume: Reference PullPolicy
LocalReference: Name
`;

const containerTypes = `
Container: +ContainerBase
EphemeralContainer: +ContainerBase TargetContainerName
ContainerBase: Name Image Command? Args? WorkingDir Ports[ContainerPort EnvFrom[EnvFrom Env[EnvVar Resources:Resources ResizePolicy[ResizePolicy RestartPolicy? RestartPolicyRules[RestartRule VolumeMounts[VolumeMount VolumeDevices[VolumeDevice LivenessProbe*Probe ReadinessProbe*Probe StartupProbe*Probe Lifecycle*Lifecycle TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext*SecurityContext Stdin! StdinOnce! TTY!
ContainerPort: Name HostPort# ContainerPort# Protocol HostIP
EnvFrom: Prefix ConfigMapRef*OptionalReference SecretRef*OptionalReference
OptionalReference: Name Optional?
EnvVar: Name Value ValueFrom*EnvVarSource
EnvVarSource: FieldRef*ObjectField ResourceFieldRef*ResourceField ConfigMapKeyRef*KeySelector SecretKeyRef*KeySelector FileKeyRef*FileKeySelector
KeySelector: Name Key Optional?
FileKeySelector: VolumeName Path Key Optional?
Resources: Limits? Requests? Claims[ResourceClaim
ResourceClaim: Name Request
ResizePolicy: ResourceName RestartPolicy
RestartRule: Action ExitCodes*ExitCodes
ExitCodes: Operator Values?
VolumeMount: Name ReadOnly! RecursiveReadOnly? MountPath SubPath MountPropagation? SubPathExpr
VolumeDevice: Name DevicePath
Probe: +ProbeHandler InitialDelaySeconds# TimeoutSeconds# PeriodSeconds# SuccessThreshold# FailureThreshold# TerminationGracePeriodSeconds?
ProbeHandler: Exec*Exec HTTPGet*HTTPGet TCPSocket*TCPSocket GRPC*GRPC
Exec: Command?
HTTPGet: Path Port# Host Scheme HTTPHeaders[NameValue
NameValue: Name Value
TCPSocket: Port# Host
GRPC: Port# Service?
Lifecycle: PostStart*LifecycleHandler PreStop*LifecycleHandler StopSignal?
LifecycleHandler: Exec*Exec HTTPGet*HTTPGet TCPSocket*TCPSocket Sleep*Sleep
Sleep: Seconds#
SecurityContext: Capabilities*Capabilities Privileged? SELinuxOptions*SELinuxOptions WindowsOptions*WindowsOptions RunAsUser? RunAsGroup? RunAsNonRoot? ReadOnlyRootFilesystem? AllowPrivilegeEscalation? ProcMount? SeccompProfile*Profile AppArmorProfile*Profile
Capabilities: Add? Drop?
SELinuxOptions: User Role Type Level
WindowsOptions: GMSACredentialSpecName? GMSACredentialSpec? RunAsUserName? HostProcess?
Profile: Type LocalhostProfile?
`;

const podTypes = `
PodTemplateSpec: +ObjectMeta Spec:PodSpec
PodSpec: Volumes[Volume InitContainers[Container Containers[Container EphemeralContainers[EphemeralContainer RestartPolicy TerminationGracePeriodSeconds? ActiveDeadlineSeconds? DNSPolicy NodeSelector? ServiceAccountName AutomountServiceAccountToken? NodeName SecurityContext:PodSecurityContext ImagePullSecrets[LocalReference Hostname Subdomain SetHostnameAsFQDN? Affinity*Affinity SchedulerName Tolerations[Toleration HostAliases[HostAlias PriorityClassName Priority? PreemptionPolicy? DNSConfig*DNSConfig ReadinessGates[ReadinessGate RuntimeClassName? Overhead? EnableServiceLinks? TopologySpreadConstraints[Spread OS*Named SchedulingGates[Named ResourceClaims[PodResourceClaim Resources*Resources HostnameOverride? SchedulingGroup*SchedulingGroup
PodSecurityContext: ^HostNetwork! ^HostPID! ^HostIPC! ^ShareProcessNamespace? ^HostUsers? SELinuxOptions*SELinuxOptions WindowsOptions*WindowsOptions RunAsUser? RunAsGroup? RunAsNonRoot? SupplementalGroups? SupplementalGroupsPolicy? FSGroup? FSGroupChangePolicy? Sysctls[NameValue SeccompProfile*Profile AppArmorProfile*Profile SELinuxChangePolicy?
Affinity: NodeAffinity*NodeAffinity PodAffinity*PodAffinity PodAntiAffinity*PodAffinity
NodeAffinity: RequiredDuringSchedulingIgnoredDuringExecution*NodeSelector PreferredDuringSchedulingIgnoredDuringExecution[PreferredTerm
NodeSelector: NodeSelectorTerms[NodeSelectorTerm
NodeSelectorTerm: MatchExpressions[Requirement MatchFields[Requirement
Requirement: Key Operator Values?
PreferredTerm: Weight# Preference:NodeSelectorTerm
PodAffinity: RequiredDuringSchedulingIgnoredDuringExecution[PodAffinityTerm PreferredDuringSchedulingIgnoredDuringExecution[WeightedTerm
WeightedTerm: Weight# PodAffinityTerm:PodAffinityTerm
PodAffinityTerm: LabelSelector? Namespaces? TopologyKey NamespaceSelector? MatchLabelKeys? MismatchLabelKeys?
Toleration: Key Operator Value Effect TolerationSeconds?
HostAlias: IP Hostnames?
DNSConfig: Nameservers? Searches? Options[DNSOption
DNSOption: Name Value?
ReadinessGate: ConditionType
Spread: MaxSkew# TopologyKey WhenUnsatisfiable LabelSelector? MinDomains? NodeAffinityPolicy? NodeTaintsPolicy? MatchLabelKeys?
Named: Name
PodResourceClaim: Name ResourceClaimName? ResourceClaimTemplateName?
SchedulingGroup: PodGroupName?
`;

const persistentVolumeTypes = `
PersistentVolumeSource: GCEPersistentDisk*GCEPersistentDisk AWSElasticBlockStore*AWSElasticBlockStore HostPath*HostPath Glusterfs*GlusterfsPersistent NFS*NFS RBD*RBDPersistent Quobyte*Quobyte ISCSI*ISCSIPersistent FlexVolume*FlexPersistent Cinder*CinderPersistent CephFS*CephFSPersistent FC*FC Flocker*Flocker AzureFile*AzureFilePersistent VsphereVolume*Vsphere AzureDisk*AzureDisk PhotonPersistentDisk*Photon PortworxVolume*Portworx ScaleIO*ScaleIOPersistent Local*Local StorageOS*StorageOSPersistent CSI*CSIPersistent
GlusterfsPersistent: EndpointsName(endpoints) Path ReadOnly! EndpointsNamespace?
RBDPersistent: CephMonitors(monitors)? RBDImage(image) FSType RBDPool(pool) RadosUser(user) Keyring SecretRef*SecretReference ReadOnly!
ISCSIPersistent: TargetPortal IQN Lun# ISCSIInterface FSType ReadOnly! Portals? DiscoveryCHAPAuth(chapAuthDiscovery)! SessionCHAPAuth(chapAuthSession)! SecretRef*SecretReference InitiatorName?
FlexPersistent: Driver FSType SecretRef*SecretReference ReadOnly! Options?
CinderPersistent: VolumeID FSType ReadOnly! SecretRef*SecretReference
CephFSPersistent: Monitors? Path User SecretFile SecretRef*SecretReference ReadOnly!
AzureFilePersistent: SecretName ShareName ReadOnly! SecretNamespace?
ScaleIOPersistent: Gateway System SecretRef*SecretReference SSLEnabled! ProtectionDomain StoragePool StorageMode VolumeName FSType ReadOnly!
Local: Path FSType?
StorageOSPersistent: VolumeName VolumeNamespace FSType ReadOnly! SecretRef*ObjectReference
CSIPersistent: Driver VolumeHandle ReadOnly! FSType VolumeAttributes? ControllerPublishSecretRef*SecretReference NodeStageSecretRef*SecretReference NodePublishSecretRef*SecretReference ControllerExpandSecretRef*SecretReference NodeExpandSecretRef*SecretReference
SecretReference: Name Namespace
ObjectReference: Kind Namespace Name UID APIVersion ResourceVersion FieldPath
VolumeNodeAffinity: Required*NodeSelector
PersistentVolumeSpec: Capacity? +PersistentVolumeSource AccessModes? ClaimRef*ObjectReference PersistentVolumeReclaimPolicy StorageClassName MountOptions? VolumeMode? NodeAffinity*VolumeNodeAffinity VolumeAttributesClassName?
EventSource: Component Host
`;

/** Prints pods, their parts, claims and volumes as upstream's internal form does. */
export const internalCore: (type: string, value: object) => object = internalForm(
  [volumeTypes, containerTypes, podTypes, persistentVolumeTypes].map((types) => types.trim()).join('\n'),
);
