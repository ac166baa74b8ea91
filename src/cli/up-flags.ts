import { resolve } from 'node:path';
import type { NodeLossOptions, RuntimeChoice, SnapshotTime, UpOptions } from '../cluster/plan-cluster.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';

/** The flags of `kanoe up` as commander parses them. */
export interface UpFlags {
  readonly name: string;
  readonly detach?: boolean;
  readonly dataDir?: string;
  readonly port?: number;
  readonly listen?: string;
  readonly advertiseAddress?: string;
  readonly nodes?: number;
  readonly nodesSimulated: number;
  readonly nodeMonitorGracePeriod?: number;
  readonly nodeStartupGracePeriod?: number;
  readonly defaultNotReadyTolerationSeconds?: number;
  readonly defaultUnreachableTolerationSeconds?: number;
  readonly simulatedCapacity?: Readonly<Record<string, string>>;
  readonly simulatedZones?: readonly string[];
  readonly simulatedTaint?: boolean;
  readonly seed: string;
  readonly controllers: string;
  readonly legacyApis?: boolean;
  readonly runtimeConfig?: readonly string[];
  readonly featureGates?: readonly string[];
  readonly metricsApi: boolean;
  readonly defaultStorageClass: boolean;
  readonly volumeSnapshots: SnapshotTime;
  readonly ingress: boolean;
  readonly gatewayApi: boolean;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  readonly serviceCidr?: string;
  readonly podCidr?: string;
  readonly dualStack?: boolean;
  readonly runtime: RuntimeChoice;
  readonly containerRuntimeEndpoint?: string;
  readonly imageServiceEndpoint?: string;
  readonly filename?: string[];
  readonly load?: string[];
  readonly mirror?: ReadonlyMap<string, string>;
  readonly kubeconfig?: string;
  readonly wait?: boolean;
  readonly timeout: number;
  readonly startedAt?: number;
  readonly auditPolicyFile?: string;
  readonly auditLogPath?: string;
  readonly auditLogMaxsize: number;
  readonly auditLogMaxbackup: number;
  readonly auditLogMaxage: number;
  readonly authenticationConfig?: string;
  readonly authenticationTokenWebhookConfigFile?: string;
  readonly schedulerConfig?: string;
  readonly schedulerSeed?: number;
  readonly kubeletConfig?: string;
  readonly kubeletArg?: readonly (readonly [name: string, value: string])[];
}

/** What the cluster needs of the flags; paths made absolute. */
export function upOptions(context: CliContext, flags: UpFlags): UpOptions {
  return {
    name: flags.name,
    ...(flags.nodes !== undefined && { nodes: flags.nodes }),
    ...(flags.listen !== undefined && { listen: flags.listen }),
    ...(flags.advertiseAddress !== undefined && { advertiseAddress: flags.advertiseAddress }),
    simulated: {
      count: flags.nodesSimulated,
      capacity: flags.simulatedCapacity ?? {},
      zones: flags.simulatedZones ?? [],
      tainted: flags.simulatedTaint ?? false,
      seed: flags.seed,
    },
    nodeLoss: nodeLossOptions(flags),
    controllers: flags.controllers,
    legacyApis: flags.legacyApis ?? false,
    runtimeConfig: flags.runtimeConfig ?? [],
    featureGates: flags.featureGates ?? [],
    metricsApi: flags.metricsApi,
    defaultStorageClass: flags.defaultStorageClass,
    volumeSnapshots: flags.volumeSnapshots,
    ingress: flags.ingress,
    gatewayApi: flags.gatewayApi,
    ...runtimeOptions(flags),
    admissionPlugins: {
      enable: flags.enableAdmissionPlugins ?? [],
      disable: flags.disableAdmissionPlugins ?? [],
    },
    mirrors: flags.mirror ?? new Map(),
    ...auditOptions(context, flags),
    ...(flags.authenticationConfig !== undefined && {
      authenticationConfig: resolve(context.cwd, flags.authenticationConfig),
    }),
    ...(flags.authenticationTokenWebhookConfigFile !== undefined && {
      tokenWebhookConfig: resolve(context.cwd, flags.authenticationTokenWebhookConfigFile),
    }),
    ...(flags.schedulerConfig !== undefined && {
      schedulerConfig: resolve(context.cwd, flags.schedulerConfig),
    }),
    ...(flags.schedulerSeed !== undefined && { schedulerSeed: flags.schedulerSeed }),
    ...kubeletOptions(context, flags),
    ...(flags.dataDir !== undefined && { dataDirectory: resolve(context.cwd, flags.dataDir) }),
    ...(flags.port !== undefined && { port: flags.port }),
    ...(flags.serviceCidr !== undefined && { serviceCidr: flags.serviceCidr }),
    ...(flags.podCidr !== undefined && { podCidr: flags.podCidr }),
    ...(flags.dualStack && { dualStack: true }),
  };
}

/** Where containerd listens, and the kubelet's default. */
const defaultEndpoint = 'unix:///run/containerd/containerd.sock';

/** Naming an endpoint is asking for the runtime behind it. */
function runtimeOptions(flags: UpFlags): Pick<UpOptions, 'runtime' | 'criEndpoints'> {
  const { containerRuntimeEndpoint, imageServiceEndpoint } = flags;
  const named = containerRuntimeEndpoint !== undefined;
  if (named && flags.runtime !== 'auto' && flags.runtime !== 'cri')
    throw new CliError(`--container-runtime-endpoint needs --runtime cri, not ${flags.runtime}`);
  if (!named && flags.runtime !== 'cri') return { runtime: flags.runtime };
  const runtime = containerRuntimeEndpoint ?? defaultEndpoint;
  return { runtime: 'cri', criEndpoints: { runtime, images: imageServiceEndpoint ?? runtime } };
}

/** Paths in them made absolute. */
function kubeletOptions(
  context: CliContext,
  { kubeletConfig, kubeletArg = [] }: UpFlags,
): Pick<UpOptions, 'kubelet'> {
  if (kubeletConfig === undefined && kubeletArg.length === 0) return {};
  const flags = kubeletArg.map(
    ([name, value]) => [name, name === 'pod-manifest-path' ? resolve(context.cwd, value) : value] as const,
  );
  return {
    kubelet: {
      flags,
      ...(kubeletConfig !== undefined && { configFile: resolve(context.cwd, kubeletConfig) }),
    },
  };
}

const megabyte = 1024 * 1024;

/** An audit log needs both what to write and where. */
function auditOptions(context: CliContext, flags: UpFlags): Pick<UpOptions, 'audit'> {
  const { auditPolicyFile, auditLogPath } = flags;
  if (auditPolicyFile === undefined && auditLogPath === undefined) return {};
  if (auditPolicyFile === undefined || auditLogPath === undefined)
    throw new CliError('an audit log needs both --audit-policy-file and --audit-log-path');
  return {
    audit: {
      policyFile: resolve(context.cwd, auditPolicyFile),
      logPath: auditLogPath === '-' ? '-' : resolve(context.cwd, auditLogPath),
      maxBytes: flags.auditLogMaxsize * megabyte,
      maxBackups: flags.auditLogMaxbackup,
      maxAgeDays: flags.auditLogMaxage,
    },
  };
}

function nodeLossOptions(flags: UpFlags): NodeLossOptions {
  const {
    nodeMonitorGracePeriod: monitorGraceMs,
    nodeStartupGracePeriod: startupGraceMs,
    defaultNotReadyTolerationSeconds: notReady,
    defaultUnreachableTolerationSeconds: unreachable,
  } = flags;
  return {
    ...(monitorGraceMs !== undefined && { monitorGraceMs }),
    ...(startupGraceMs !== undefined && { startupGraceMs }),
    ...(notReady !== undefined && { notReady }),
    ...(unreachable !== undefined && { unreachable }),
  };
}
