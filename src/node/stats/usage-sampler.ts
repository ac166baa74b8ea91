import { cpus, freemem, totalmem } from 'node:os';
import { readFile } from 'node:fs/promises';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { PodUsage, Usage } from '../../api/metrics/usage.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import type { ContainerRuntime, ContainerStats, ContainerStatus } from '../container-runtime.ts';

/** One look at a counter of CPU time. */
export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cpuNanoseconds: number;
  readonly memoryWorkingSetBytes: number;
}

/** The two latest samples of something; while there is one, the first is that of its start. */
export interface Measured<T extends Sample = Sample> {
  readonly before: Pick<Sample, 'at' | 'cpuNanoseconds'>;
  readonly latest: T;
}

/** A running container and what it uses. */
export interface MeasuredContainer extends Measured<ContainerStats> {
  readonly status: ContainerStatus;
}

export interface UsageSamplerOptions {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  pods(): readonly Live<Pod>[];
  onError(error: unknown): void;
}

/** Measures at intervals what a node's containers and its machine use. */
export interface UsageSampler {
  /** Of each pod with a running container, by pod uid. */
  containers(): ReadonlyMap<string, readonly MeasuredContainer[]>;
  node(): Measured | undefined;
  pods(): readonly PodUsage[];
  close(): void;
}

const intervalMs = 10_000;
/** A container younger than this has no rate worth telling. */
const leastWindowMs = 1_000;
/** Nanoseconds of a tick of `/proc/stat` (`USER_HZ` is 100 on every Linux). */
const tickNanoseconds = 10_000_000;

/** What was used per second between two samples. */
export function usageOf({ before, latest }: Measured): Usage {
  const seconds = (latest.at - before.at) / 1000;
  const spent = Math.max(0, latest.cpuNanoseconds - before.cpuNanoseconds);
  return {
    cpuNanocores: seconds > 0 ? spent / seconds : 0,
    memoryBytes: latest.memoryWorkingSetBytes,
  };
}

/** CPU time of the whole machine from `/proc/stat`, and the memory that is not available to others. */
export function machineSample(procStat: string, memInfo: string, at: number): Sample {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = (
    /^cpu +(.*)$/m.exec(procStat)?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(memInfo)?.[1] ?? 0);
  return {
    at,
    cpuNanoseconds: (user + nice + system + irq + softIrq + steal) * tickNanoseconds,
    memoryWorkingSetBytes: (kibibytes('MemTotal') - kibibytes('MemAvailable')) * 1024,
  };
}

async function sampleMachine(at: number): Promise<Sample> {
  if (process.platform === 'linux') {
    const [stat, memory] = await Promise.all([
      readFile('/proc/stat', 'utf8'),
      readFile('/proc/meminfo', 'utf8'),
    ]);
    return machineSample(stat, memory, at);
  }
  const busy = cpus().reduce((all, { times }) => all + times.user + times.nice + times.sys + times.irq, 0);
  return { at, cpuNanoseconds: busy * 1_000_000, memoryWorkingSetBytes: totalmem() - freemem() };
}

function measuredAt<T extends Sample>(
  latest: T,
  known: Measured | undefined,
  startedAt: number,
): Measured<T> | undefined {
  if (known) return { before: known.latest, latest };
  if (latest.at - startedAt < leastWindowMs) return undefined;
  return { before: { at: startedAt, cpuNanoseconds: 0 }, latest };
}

/** Begins to measure. */
export function createUsageSampler(options: UsageSamplerOptions): UsageSampler {
  const { runtime, clock } = options;
  let byId = new Map<string, MeasuredContainer>();
  let machine: Measured | undefined;
  let first: Sample | undefined;
  let timer: Timer | undefined;
  let closed = false;

  async function measure(status: ContainerStatus): Promise<readonly [string, MeasuredContainer] | undefined> {
    const stats = await runtime.stats(status.id).catch(() => undefined);
    const found = stats && measuredAt(stats, byId.get(status.id), status.startedAt ?? status.createdAt);
    return found && [status.id, { ...found, status }];
  }

  async function sample(): Promise<void> {
    const now = await sampleMachine(clock.now());
    const before = machine?.latest ?? first;
    if (before) machine = { before, latest: now };
    first = now;
    const running = (await runtime.listContainers()).filter(({ state }) => state === 'running');
    const found = await Promise.all(running.map(measure));
    byId = new Map(found.flatMap((entry) => (entry ? [entry] : [])));
  }

  function run(): void {
    sample()
      .catch((error: unknown) => closed || options.onError(error))
      .finally(() => {
        if (!closed) timer = clock.after(intervalMs, run);
      });
  }

  function containers(): ReadonlyMap<string, readonly MeasuredContainer[]> {
    const byPod = new Map<string, MeasuredContainer[]>();
    for (const measured of byId.values()) {
      const { podUid } = measured.status;
      byPod.set(podUid, [...(byPod.get(podUid) ?? []), measured]);
    }
    return byPod;
  }

  run();
  return {
    containers,
    node: () => machine,
    pods() {
      const measured = containers();
      return options.pods().flatMap((pod) => {
        const own = measured.get(pod.metadata.uid) ?? [];
        const [one] = own;
        return one ? [podUsage(pod, own, one)] : [];
      });
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

function podUsage(pod: Live<Pod>, own: readonly MeasuredContainer[], one: MeasuredContainer): PodUsage {
  const { name, namespace = '', labels = {} } = pod.metadata;
  return {
    namespace,
    pod: name,
    labels,
    at: one.latest.at,
    windowMs: one.latest.at - one.before.at,
    containers: own.map((measured) => ({ name: measured.status.name, ...usageOf(measured) })),
  };
}
