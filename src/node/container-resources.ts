import type { Container, Pod, ResourceRequirements } from '../api/core/v1.gen.ts';
import { parseQuantity, quantityMilliValue, quantityValue } from '../machinery/quantity.ts';
import type { ContainerResources, SandboxSpec } from './container-runtime.ts';
import { containersOf, initContainersOf, isSidecar } from './pod-containers.ts';

const CPU_PERIOD_US = 100_000;
const MIN_CPU_QUOTA_US = 1000;
const MIN_CPU_SHARES = 2;
const MAX_CPU_SHARES = 262_144;

interface Amounts {
  readonly requestedMillis: number;
  readonly requestedBytes: number;
  /** Absent: unlimited. */
  readonly limitMillis: number | undefined;
  readonly limitBytes: number | undefined;
}

/** Requests and limits as cgroup values (the kubelet's rules: 100 ms period, 1024 shares a core). */
export function containerResources(
  pod: Pod,
  container: Container,
  nodeMemoryBytes: number,
): ContainerResources {
  const amounts = amountsOf(limitedByPod(pod, container));
  return {
    ...cgroupValues(amounts),
    oomScoreAdj: oomScoreAdj(pod, amounts.requestedBytes, nodeMemoryBytes),
  };
}

/**
 * What a pod may use as a whole: what its spec says of it, else the sum of main containers and sidecars, or the largest
 * init container when that is more; running it costs its overhead on top.
 */
export function podResources(pod: Pod): ContainerResources {
  const sidecars = initContainersOf(pod)
    .filter(isSidecar)
    .map(({ resources }) => amountsOf(resources));
  const running = [...sidecars, ...containersOf(pod).map(({ resources }) => amountsOf(resources))].reduce(
    sum,
  );
  const init = initContainersOf(pod)
    .filter((container) => !isSidecar(container))
    .map(({ resources }) => sidecars.reduce(sum, amountsOf(resources)));
  const whole = replacedBy(pod.spec.resources, [running, ...init].reduce(larger));
  return cgroupValues(withOverhead(whole, pod.spec.overhead));
}

/** The limits that let both pass; what one of them leaves open stays open. */
export function largerLimits(a: ContainerResources, b: ContainerResources): ContainerResources {
  const { cpuQuota: _quota, memoryLimitBytes: _limit, ...rest } = a;
  const cpuQuota = both(a.cpuQuota, b.cpuQuota, Math.max);
  const memoryLimitBytes = both(a.memoryLimitBytes, b.memoryLimitBytes, Math.max);
  return {
    ...rest,
    ...(cpuQuota !== undefined && { cpuQuota }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
  };
}

/** The quality of service class: the API's, or what the spec amounts to. */
export function qosClassOf(pod: Pod): SandboxSpec['qosClass'] {
  return pod.status?.qosClass ?? 'BestEffort';
}

/** A container without a limit of its own may use what the pod as a whole may. */
function limitedByPod({ spec }: Pod, { resources }: Container): ResourceRequirements {
  const { limits } = spec.resources ?? {};
  return limits ? { ...resources, limits: { ...limits, ...resources?.limits } } : (resources ?? {});
}

function replacedBy(resources: ResourceRequirements | undefined, sum: Amounts): Amounts {
  if (!resources) return sum;
  const own = amountsOf(resources);
  const says = (side: 'requests' | 'limits', resource: string): boolean =>
    resources[side]?.[resource] !== undefined;
  return {
    requestedMillis:
      says('requests', 'cpu') || says('limits', 'cpu') ? own.requestedMillis : sum.requestedMillis,
    requestedBytes:
      says('requests', 'memory') || says('limits', 'memory') ? own.requestedBytes : sum.requestedBytes,
    limitMillis: says('limits', 'cpu') ? own.limitMillis : sum.limitMillis,
    limitBytes: says('limits', 'memory') ? own.limitBytes : sum.limitBytes,
  };
}

function withOverhead(amounts: Amounts, overhead: Readonly<Record<string, string>> | undefined): Amounts {
  if (!overhead) return amounts;
  const added = amountsOf({ requests: overhead });
  const plus = (limit: number | undefined, more: number): number | undefined =>
    limit === undefined ? undefined : limit + more;
  return {
    requestedMillis: amounts.requestedMillis + added.requestedMillis,
    requestedBytes: amounts.requestedBytes + added.requestedBytes,
    limitMillis: plus(amounts.limitMillis, added.requestedMillis),
    limitBytes: plus(amounts.limitBytes, added.requestedBytes),
  };
}

function amountsOf(resources: ResourceRequirements | undefined): Amounts {
  const { requests, limits } = resources ?? {};
  const limitMillis = limits?.['cpu'] === undefined ? undefined : millis(limits['cpu']);
  const limitBytes = limits?.['memory'] === undefined ? undefined : bytes(limits['memory']);
  return {
    requestedMillis: requests?.['cpu'] === undefined ? (limitMillis ?? 0) : millis(requests['cpu']),
    requestedBytes: requests?.['memory'] === undefined ? (limitBytes ?? 0) : bytes(requests['memory']),
    limitMillis: limitMillis === 0 ? undefined : limitMillis,
    limitBytes: limitBytes === 0 ? undefined : limitBytes,
  };
}

function sum(a: Amounts, b: Amounts): Amounts {
  return {
    requestedMillis: a.requestedMillis + b.requestedMillis,
    requestedBytes: a.requestedBytes + b.requestedBytes,
    limitMillis: both(a.limitMillis, b.limitMillis, (x, y) => x + y),
    limitBytes: both(a.limitBytes, b.limitBytes, (x, y) => x + y),
  };
}

function larger(a: Amounts, b: Amounts): Amounts {
  return {
    requestedMillis: Math.max(a.requestedMillis, b.requestedMillis),
    requestedBytes: Math.max(a.requestedBytes, b.requestedBytes),
    limitMillis: both(a.limitMillis, b.limitMillis, Math.max),
    limitBytes: both(a.limitBytes, b.limitBytes, Math.max),
  };
}

function both(
  a: number | undefined,
  b: number | undefined,
  combine: (a: number, b: number) => number,
): number | undefined {
  return a === undefined || b === undefined ? undefined : combine(a, b);
}

function cgroupValues(amounts: Amounts): ContainerResources {
  const shares = Math.floor((amounts.requestedMillis * 1024) / 1000);
  return {
    cpuShares: Math.min(MAX_CPU_SHARES, Math.max(MIN_CPU_SHARES, shares)),
    ...(amounts.limitMillis !== undefined && {
      cpuPeriod: CPU_PERIOD_US,
      cpuQuota: Math.max(MIN_CPU_QUOTA_US, Math.floor((amounts.limitMillis * CPU_PERIOD_US) / 1000)),
    }),
    ...(amounts.limitBytes !== undefined && { memoryLimitBytes: amounts.limitBytes }),
  };
}

function oomScoreAdj(pod: Pod, requestedBytes: number, nodeMemoryBytes: number): number {
  if ((pod.spec?.priority ?? 0) >= 2_000_000_000) return -997;
  const qos = qosClassOf(pod);
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const score = 1000 - Math.floor((1000 * requestedBytes) / Math.max(1, nodeMemoryBytes));
  return Math.min(999, Math.max(3, score));
}

function millis(quantity: string): number {
  return Number(quantityMilliValue(parseQuantity(quantity)));
}

function bytes(quantity: string): number {
  return Number(quantityValue(parseQuantity(quantity)));
}
