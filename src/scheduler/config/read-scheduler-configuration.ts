import { readFileSync } from 'node:fs';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import type { ProfilePlan } from '../build-profile.ts';
import { defaultSchedulerOptions, type SchedulerOptions } from '../scheduler.ts';
import { readConfig, type ConfigReader } from './config-reader.ts';
import { inTreeCapabilities } from './known-plugins.ts';
import { readExtenders, type ReadPem } from './read-extenders.ts';
import { readProfile } from './read-profile.ts';

/** What is wrong with a scheduler's configuration; one line each. */
export class SchedulerConfigurationError extends Error {
  override readonly name = 'SchedulerConfigurationError';
  readonly code = 'SCHEDULER_CONFIGURATION';
}

/** Leader election as configured; durations in milliseconds. */
export interface LeaderElectionConfiguration {
  readonly leaderElect?: boolean;
  readonly leaseDurationMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryPeriodMs?: number;
  readonly resourceName?: string;
  readonly resourceNamespace?: string;
}

export interface SchedulerConfiguration {
  readonly scheduler: SchedulerOptions;
  readonly leaderElection: LeaderElectionConfiguration;
  /** `clientConnection.kubeconfig`. */
  readonly kubeconfig?: string;
}

const version = 'kubescheduler.config.k8s.io/v1';

/**
 * Reads a `KubeSchedulerConfiguration` (kubescheduler.config.k8s.io/v1) from YAML or JSON, strictly: unknown fields are
 * errors, and so is what this scheduler cannot do. Throws {@link SchedulerConfigurationError} with everything that is
 * wrong, or the parser's error. `readPem` reads the certificates that extenders name.
 */
export function readSchedulerConfiguration(
  text: string,
  readPem: ReadPem = (file) => readFileSync(file, 'utf8'),
): SchedulerConfiguration {
  const { value, duplicates } = parseYaml(text);
  const problems: string[] = duplicates.map((one) => `strict decoding error: ${one}`);
  const reader = readConfig(value, '', problems);
  if (reader.text('apiVersion') !== version || reader.text('kind') !== 'KubeSchedulerConfiguration') {
    problems.unshift(`apiVersion and kind must be ${version} and KubeSchedulerConfiguration`);
    throw new SchedulerConfigurationError(problems.join('\n'));
  }
  const scheduler = readScheduler(reader, readPem);
  const leaderElection = readLeaderElection(reader.object('leaderElection'));
  const kubeconfig = readClientConnection(reader.object('clientConnection'));
  reader.end();
  if (problems.length > 0) throw new SchedulerConfigurationError([...new Set(problems)].join('\n'));
  return { scheduler, leaderElection, ...(kubeconfig ? { kubeconfig } : {}) };
}

function readScheduler(reader: ConfigReader, readPem: ReadPem): SchedulerOptions {
  const defaults = defaultSchedulerOptions();
  const initial = seconds(reader, 'podInitialBackoffSeconds') ?? defaults.podInitialBackoffMs;
  const longest = seconds(reader, 'podMaxBackoffSeconds') ?? defaults.podMaxBackoffMs;
  if (initial <= 0) reader.problem('podInitialBackoffSeconds', 'must be greater than 0');
  if (longest < initial)
    reader.problem('podMaxBackoffSeconds', 'must be greater than or equal to PodInitialBackoffSeconds');
  const percentage = reader.whole('percentageOfNodesToScore') ?? defaults.percentageOfNodesToScore;
  if (percentage < 0 || percentage > 100)
    reader.problem('percentageOfNodesToScore', `Invalid value: ${percentage}: not in valid range [0-100]`);
  if ((reader.whole('parallelism') ?? 16) <= 0)
    reader.problem('parallelism', 'should be an integer value greater than zero');
  reader.flag('enableProfiling');
  reader.flag('enableContentionProfiling');
  reader.flag('delayCacheUntilActive');
  const { extenders, ignoredResources } = readExtenders(reader, readPem);
  return {
    profiles: readProfiles(reader).map((profile) => ignoring(profile, ignoredResources)),
    ...(extenders.length > 0 && { extenders }),
    percentageOfNodesToScore: percentage,
    podInitialBackoffMs: initial,
    podMaxBackoffMs: longest,
  };
}

/** What extenders take off NodeResourcesFit's hands. */
function ignoring(profile: ProfilePlan, resources: readonly string[]): ProfilePlan {
  if (resources.length === 0) return profile;
  const { NodeResourcesFit: fit, ...args } = profile.args;
  const ignoredResources = [...fit.ignoredResources, ...resources];
  return { ...profile, args: { ...args, NodeResourcesFit: { ...fit, ignoredResources } } };
}

function readProfiles(reader: ConfigReader): SchedulerOptions['profiles'] {
  const readers = reader.objects('profiles') ?? [];
  const known = inTreeCapabilities();
  if (readers.length === 0) return defaultSchedulerOptions().profiles;
  const only = readers.length === 1;
  const profiles = readers.map((one) => {
    const profile = readProfile(one, known);
    return profile.schedulerName === '' && only && !one.has('schedulerName')
      ? { ...profile, schedulerName: 'default-scheduler' }
      : profile;
  });
  const sortOf = (index: number): string | undefined => profiles[index]?.points.queueSort[0]?.name;
  for (const [index, { schedulerName }] of profiles.entries()) {
    const path = `profiles[${index}]`;
    if (schedulerName === '') reader.problem(`${path}.schedulerName`, 'Required value');
    const first = profiles.findIndex((one) => one.schedulerName === schedulerName);
    if (first < index)
      reader.problem(`${path}.schedulerName`, `Duplicate value: "profiles[${first}].schedulerName"`);
    if (sortOf(index) !== sortOf(0))
      reader.problem(`${path}.plugins.queueSort`, 'must be the same for all profiles');
  }
  return profiles;
}

function readLeaderElection(reader: ConfigReader | undefined): LeaderElectionConfiguration {
  if (!reader) return {};
  const leaderElect = reader.flag('leaderElect');
  const leaseDurationMs = reader.duration('leaseDuration');
  const renewDeadlineMs = reader.duration('renewDeadline');
  const retryPeriodMs = reader.duration('retryPeriod');
  const resourceName = reader.text('resourceName');
  const resourceNamespace = reader.text('resourceNamespace');
  const lock = reader.text('resourceLock') || 'leases';
  if (leaderElect !== false && lock !== 'leases')
    reader.problem('resourceLock', `Invalid value: "${lock}": resourceLock value must be "leases"`);
  if ((leaseDurationMs ?? 15_000) <= (renewDeadlineMs ?? 10_000))
    reader.problem('leaseDuration', 'LeaseDuration must be greater than RenewDeadline');
  if ((renewDeadlineMs ?? 10_000) <= (retryPeriodMs ?? 2000))
    reader.problem('renewDeadline', 'RenewDeadline must be greater than RetryPeriod');
  reader.end();
  return {
    ...(leaderElect !== undefined && { leaderElect }),
    ...(leaseDurationMs !== undefined && { leaseDurationMs }),
    ...(renewDeadlineMs !== undefined && { renewDeadlineMs }),
    ...(retryPeriodMs !== undefined && { retryPeriodMs }),
    ...(resourceName && { resourceName }),
    ...(resourceNamespace && { resourceNamespace }),
  };
}

/** Rates and encodings are upstream's client's; this one has none to set. */
function readClientConnection(reader: ConfigReader | undefined): string | undefined {
  if (!reader) return undefined;
  const kubeconfig = reader.text('kubeconfig');
  reader.text('acceptContentTypes');
  reader.text('contentType');
  reader.decimal('qps');
  reader.whole('burst');
  reader.end();
  return kubeconfig;
}

function seconds(reader: ConfigReader, name: string): number | undefined {
  const value = reader.whole(name);
  return value === undefined ? undefined : value * 1000;
}
