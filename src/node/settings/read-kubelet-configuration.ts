import { durationMs } from '../../machinery/duration.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import {
  evictionSignals,
  parseThresholdAmount,
  type EvictionSignal,
  type EvictionThreshold,
  type ThresholdAmount,
} from '../eviction/eviction-threshold.ts';
import { defaultNodeSettings, type NodeSettings } from './node-settings.ts';

/** What is wrong with a kubelet's configuration; one line each. */
export class KubeletConfigurationError extends Error {
  override readonly name = 'KubeletConfigurationError';
  readonly code = 'KUBELET_CONFIGURATION';
}

type Fields = Readonly<Record<string, unknown>>;

const VERSION = 'kubelet.config.k8s.io/v1beta1';

/** Fields that are for machines run otherwise: what they ask for is so here anyway, or there is nothing to ask it of. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(
  'apiVersion kind address authentication authorization cgroupDriver clusterDNS clusterDomain cgroupRoot cpuManagerPolicy failSwapOn featureGates healthzBindAddress healthzPort hairpinMode logging makeIPTablesUtilChains memorySwap nodeStatusReportFrequency nodeStatusUpdateFrequency port readOnlyPort registryBurst registryPullQPS resolvConf rotateCertificates runtimeRequestTimeout serverTLSBootstrap serializeImagePulls streamingConnectionIdleTimeout syncFrequency tlsCertFile tlsPrivateKeyFile volumeStatsAggPeriod containerRuntimeEndpoint enforceNodeAllocatable eventBurst eventRecordQPS fileCheckFrequency httpCheckFrequency kubeAPIBurst kubeAPIQPS topologyManagerPolicy memoryManagerPolicy maxParallelImagePulls podPidsLimit enableServer enableDebuggingHandlers'.split(
    ' ',
  ),
);

/** The kubelet's flags that are not simply a field's name in other letters. */
const FLAG_FIELDS: Readonly<Record<string, string>> = {
  'pod-manifest-path': 'staticPodPath',
  'image-gc-high-threshold': 'imageGCHighThresholdPercent',
  'image-gc-low-threshold': 'imageGCLowThresholdPercent',
  'minimum-image-ttl-duration': 'imageMinimumGCAge',
  'maximum-image-ttl-duration': 'imageMaximumGCAge',
};

const MAPS: ReadonlySet<string> = new Set([
  'evictionHard',
  'evictionSoft',
  'evictionSoftGracePeriod',
  'evictionMinimumReclaim',
  'kubeReserved',
  'systemReserved',
]);

/** KEP-4603: per node, how long CrashLoopBackOff may become. */
function restartBackoff(value: unknown): number {
  const period = isFields(value) ? value['maxContainerRestartPeriod'] : undefined;
  if (period === undefined) return defaultNodeSettings.maxRestartBackoffMs;
  const found = typeof period === 'string' ? durationMs(period) : 0;
  if (found < 1000 || found > 300_000)
    throw new Error('maxContainerRestartPeriod must be between 1s and 300s');
  return found;
}

/** A `KubeletConfiguration`'s text, and the kubelet's flags (`['eviction-hard', 'memory.available<1Gi']`) that win over it. */
export interface KubeletConfigurationSource {
  readonly text?: string;
  readonly flags: readonly (readonly [name: string, value: string])[];
}

/**
 * Reads a kubelet's configuration strictly: unknown fields are errors, and so are those that ask for what this agent
 * does not do. Throws {@link KubeletConfigurationError} with everything that is wrong, or the YAML parser's error.
 */
export function readKubeletConfiguration(source: KubeletConfigurationSource): NodeSettings {
  const problems: string[] = [];
  const fields = { ...documentFields(source.text, problems), ...flagFields(source.flags) };
  const settings = settingsOf(fields, problems);
  if (problems.length > 0) throw new KubeletConfigurationError(problems.join('\n'));
  return settings;
}

function documentFields(text: string | undefined, problems: string[]): Fields {
  if (text === undefined) return {};
  const { value, duplicates } = parseYaml(text);
  problems.push(...duplicates.map((one) => `strict decoding error: ${one}`));
  const fields = isFields(value) ? value : {};
  if (fields['apiVersion'] !== VERSION || fields['kind'] !== 'KubeletConfiguration')
    problems.push(`apiVersion and kind must be ${VERSION} and KubeletConfiguration`);
  return fields;
}

function flagFields(flags: KubeletConfigurationSource['flags']): Fields {
  return Object.fromEntries(
    flags.map(([flag, value]) => {
      const name =
        FLAG_FIELDS[flag] ?? flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [name, MAPS.has(name) ? pairs(value) : value];
    }),
  );
}

/** `a<1,b=2` as an object. */
function pairs(text: string): Fields {
  const found = text.split(',').filter(Boolean);
  return Object.fromEntries(
    found.map((pair) => [pair.split(/[<=]/)[0] ?? '', pair.replace(/^[^<=]*[<=]?/, '')]),
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function settingsOf(fields: Fields, problems: string[]): NodeSettings {
  const read = new Set<string>();
  const take = <T>(name: string, fallback: T, parse: (value: unknown) => T): T => {
    read.add(name);
    const { [name]: value } = fields;
    if (value === undefined || value === null) return fallback;
    try {
      return parse(value);
    } catch (error) {
      problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return fallback;
    }
  };
  const ms = (name: string, fallback: number): number =>
    take(name, fallback, (value) => durationMs(String(value)));
  const whole = (name: string, fallback: number): number => take(name, fallback, wholeNumber);
  const defaults = defaultNodeSettings;
  const settings: NodeSettings = {
    maxPods: whole('maxPods', defaults.maxPods),
    kubeReserved: take('kubeReserved', defaults.kubeReserved, amounts),
    systemReserved: take('systemReserved', defaults.systemReserved, amounts),
    eviction: {
      thresholds: thresholdsOf(take),
      pressureTransitionMs: ms('evictionPressureTransitionPeriod', defaults.eviction.pressureTransitionMs),
      maxPodGraceSeconds: whole('evictionMaxPodGracePeriod', defaults.eviction.maxPodGraceSeconds),
    },
    imageGc: {
      highPercent: whole('imageGCHighThresholdPercent', defaults.imageGc.highPercent),
      lowPercent: whole('imageGCLowThresholdPercent', defaults.imageGc.lowPercent),
      minimumAgeMs: ms('imageMinimumGCAge', defaults.imageGc.minimumAgeMs),
      maximumAgeMs: ms('imageMaximumGCAge', defaults.imageGc.maximumAgeMs),
    },
    containerLogMaxBytes: take('containerLogMaxSize', defaults.containerLogMaxBytes, (value) =>
      Number(quantityValue(parseQuantity(String(value)))),
    ),
    containerLogMaxFiles: whole('containerLogMaxFiles', defaults.containerLogMaxFiles),
    maxRestartBackoffMs: take('crashLoopBackOff', defaults.maxRestartBackoffMs, restartBackoff),
    shutdownGrace: shutdownGrace(ms, take),
    staticPodPath: take('staticPodPath', defaults.staticPodPath, String),
    allowedUnsafeSysctls: take('allowedUnsafeSysctls', defaults.allowedUnsafeSysctls, texts),
    seccompDefault: take('seccompDefault', false, (value) => String(value) === 'true'),
  };
  const { highPercent, lowPercent } = settings.imageGc;
  if (lowPercent >= highPercent)
    problems.push('imageGCLowThresholdPercent must be less than imageGCHighThresholdPercent');
  if (settings.containerLogMaxFiles < 2) problems.push('containerLogMaxFiles must be greater than 1');
  for (const name of Object.keys(fields))
    if (!read.has(name) && !WITHOUT_EFFECT.has(name))
      problems.push(`${name}: this node knows no such setting`);
  return settings;
}

type Take = <T>(name: string, fallback: T, parse: (value: unknown) => T) => T;

function thresholdsOf(take: Take): readonly EvictionThreshold[] {
  const reclaim = take('evictionMinimumReclaim', new Map(), signalAmounts);
  const grace = take(
    'evictionSoftGracePeriod',
    new Map<string, number>(),
    (value) =>
      new Map(Object.entries(value as Fields).map(([signal, text]) => [signal, durationMs(String(text))])),
  );
  const reclaimOf = (signal: EvictionSignal): Pick<EvictionThreshold, 'minReclaim'> => {
    const minReclaim = reclaim.get(signal);
    return minReclaim ? { minReclaim } : {};
  };
  const { thresholds } = defaultNodeSettings.eviction;
  const hard = take('evictionHard', thresholds, (value) =>
    [...signalAmounts(value)].map(([signal, at]) => ({ signal, at, kind: 'hard' as const, graceMs: 0 })),
  );
  const soft = take('evictionSoft', [], (value) =>
    [...signalAmounts(value)].map(([signal, at]): EvictionThreshold => {
      const graceMs = grace.get(signal);
      if (graceMs === undefined)
        throw new RangeError(`grace period must be specified for the soft eviction threshold ${signal}`);
      return { signal, at, kind: 'soft', graceMs };
    }),
  );
  return [...hard, ...soft].map((one) => ({ ...one, ...reclaimOf(one.signal) }));
}

function signalAmounts(value: unknown): Map<EvictionSignal, ThresholdAmount> {
  if (!isFields(value)) throw new RangeError('must be an object');
  return new Map(
    Object.entries(value).map(([name, text]) => {
      const signal = evictionSignals.find((one) => one === name);
      if (!signal) throw new RangeError(`unsupported eviction signal ${name}`);
      return [signal, parseThresholdAmount(String(text))];
    }),
  );
}

/** Pods of system priority are critical: they end last, in the time kept for them. */
function shutdownGrace(
  ms: (name: string, fallback: number) => number,
  take: Take,
): NodeSettings['shutdownGrace'] {
  const byPriority = take('shutdownGracePeriodByPodPriority', [], (value) => {
    if (!Array.isArray(value)) throw new RangeError('must be a list');
    return (value as readonly Fields[]).map(({ priority, shutdownGracePeriodSeconds }) => ({
      priority: wholeNumber(priority, 'priority'),
      graceMs: wholeNumber(shutdownGracePeriodSeconds, 'shutdownGracePeriodSeconds') * 1000,
    }));
  });
  const all = ms('shutdownGracePeriod', 0);
  const critical = ms('shutdownGracePeriodCriticalPods', 0);
  if (byPriority.length > 0) return byPriority.toSorted((a, b) => a.priority - b.priority);
  if (all === 0) return [];
  return [
    { priority: 0, graceMs: Math.max(0, all - critical) },
    { priority: 2_000_000_000, graceMs: critical },
  ];
}

function wholeNumber(value: unknown, name = 'it'): number {
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number))
    throw new RangeError(`${name} must be a whole number`);
  return number;
}

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(',').filter(Boolean);
  if (!Array.isArray(value)) throw new RangeError('must be a list of texts');
  return value.map(String);
}

function amounts(value: unknown): Readonly<Record<string, string>> {
  if (!isFields(value)) throw new RangeError('must be an object');
  const found = Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
  for (const [name, text] of Object.entries(found)) {
    if (!['cpu', 'memory', 'ephemeral-storage', 'pid'].includes(name))
      throw new RangeError(`cannot reserve ${name}`);
    parseQuantity(text);
  }
  return found;
}
