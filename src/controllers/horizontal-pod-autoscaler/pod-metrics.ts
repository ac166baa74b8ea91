import type { Container, Pod } from '../../api/core/v1.gen.ts';
import { parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

/** Why a metric leads to no number of replicas, in upstream's words. */
export class MetricError extends Error {}

/** A sample of a pod: thousandths of the unit, taken over the window that ended at `at`. */
export interface PodMetric {
  readonly value: number;
  readonly at: number;
  readonly windowMs: number;
}

/** By the names of pods. */
export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** What pods are to a metric. */
export interface PodGroups {
  readonly ready: number;
  /** Not started, or too fresh for what they use of the CPU to mean anything. */
  readonly unready: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
  /** Failed or being deleted. */
  readonly ignored: ReadonlySet<string>;
}

/** kube-controller-manager's `--horizontal-pod-autoscaler-cpu-initialization-period`. */
const initializationMs = 300_000;
/** kube-controller-manager's `--horizontal-pod-autoscaler-initial-readiness-delay`. */
const readinessDelayMs = 30_000;

/** Sorts the pods of an autoscaler's target. `resource` is undefined for metrics that are no resource. */
export function groupPods(
  pods: readonly Pod[],
  metrics: PodMetrics,
  resource: string | undefined,
  now: number,
): PodGroups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let ready = 0;
  for (const pod of pods) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const phase = pod.status?.phase;
    const metric = metrics.get(name);
    if (deletionTimestamp !== undefined || phase === 'Failed') ignored.add(name);
    else if (phase === 'Pending') unready.add(name);
    else if (!metric) missing.add(name);
    else if (resource === 'cpu' && isWarmingUp(pod, metric, now)) unready.add(name);
    else ready += 1;
  }
  return { ready, unready, missing, ignored };
}

/** A pod that starts uses more of the CPU than it will. */
function isWarmingUp({ status }: Pod, { at, windowMs }: PodMetric, now: number): boolean {
  const condition = conditionOf(status?.conditions, 'Ready');
  if (!condition || status?.startTime === undefined) return true;
  const started = Date.parse(status.startTime);
  const changed = Date.parse(condition.lastTransitionTime ?? '') || 0;
  const notReady = condition.status === 'False';
  if (started + initializationMs > now) return notReady || at < changed + windowMs;
  return notReady && started + readinessDelayMs > changed;
}

/** What each pod asks for of a resource, in thousandths. Throws {@link MetricError} when one does not say. */
export function podRequests(
  pods: readonly Pod[],
  resource: string,
  container: string | undefined,
): ReadonlyMap<string, number> {
  return new Map(
    pods.map((pod) => {
      const { name = '' } = pod.metadata;
      const ofPod = pod.spec.resources?.requests;
      if (ofPod && container === undefined) {
        const request = ofPod[resource] ?? sumOfContainers(pod, resource);
        if (request === undefined)
          throw new MetricError(`missing pod-level request for ${resource} in Pod ${name}`);
        return [name, typeof request === 'string' ? milli(request) : request];
      }
      return [name, requestOfContainers(pod, resource, container)];
    }),
  );
}

/** Containers that run as long as the pod does. */
function lastingContainers({ spec }: Pod): readonly Container[] {
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...spec.containers, ...sidecars];
}

function sumOfContainers(pod: Pod, resource: string): number | undefined {
  const requests = lastingContainers(pod).flatMap(({ resources }) => resources?.requests?.[resource] ?? []);
  return requests.length === 0 ? undefined : requests.reduce((sum, request) => sum + milli(request), 0);
}

function requestOfContainers(pod: Pod, resource: string, container: string | undefined): number {
  const { name: podName = '' } = pod.metadata;
  let sum = 0;
  for (const { name, resources } of lastingContainers(pod)) {
    if (container !== undefined && container !== name) continue;
    const request = resources?.requests?.[resource];
    if (request === undefined)
      throw new MetricError(`missing request for ${resource} in container ${name} of Pod ${podName}`);
    sum += milli(request);
    if (container === name) return sum;
  }
  if (container !== undefined) throw new MetricError(`container ${container} not found in Pod ${podName}`);
  return sum;
}

function milli(quantity: string): number {
  return Number(quantityMilliValue(parseQuantity(quantity)));
}
