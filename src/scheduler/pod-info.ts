import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { HostPort } from './host-ports.ts';
import {
  accumulate,
  amountsOf,
  emptySum,
  integerQuantity,
  NOTHING_REQUESTED,
  raise,
  setAmount,
  type QuantityList,
  type ResourceAmounts,
  type ResourceSum,
} from './resource-amounts.ts';

/** A pod with what scheduling it needs to know, computed once for each version of it. */
export interface PodInfo {
  readonly pod: Live<Pod>;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly priority: number;
  /** Everything it asks its node for, overhead included. */
  readonly requests: ResourceAmounts;
  /** Requests for scoring: containers that ask for nothing count as 100m and 200 MiB, as upstream's. */
  readonly scoringCpu: number;
  readonly scoringMemory: number;
  readonly hostPorts: readonly HostPort[];
  /** Names of the claims that its volumes use, generated ones of ephemeral volumes included. */
  readonly claims: readonly string[];
}

const assumedCpu = 100;
const assumedMemory = 200 * 1024 * 1024;
const empty: readonly never[] = [];

export function podInfo(pod: Live<Pod>): PodInfo {
  const { metadata, spec } = pod;
  const requests = podRequests(pod, requestsOf);
  const asksForBoth = requests.milliCpu > 0 && requests.memory > 0;
  const scoring = asksForBoth ? requests : podRequests(pod, assumedRequestsOf);
  return {
    pod,
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    priority: spec.priority ?? 0,
    requests,
    scoringCpu: scoring.milliCpu,
    scoringMemory: scoring.memory,
    hostPorts: hostPortsOf(pod),
    claims: claimsOf(pod),
  };
}

type RequestsOf = (container: Container, pod: Pod) => ResourceSum;

/** What is in force on a node counts until a resize is done: the larger of the two. */
function requestsOf({ name, resources }: Container, { status }: Pod): ResourceSum {
  const requests = amountsOf(resources?.requests);
  const actual = status?.containerStatuses?.find((one) => one.name === name);
  if (actual) {
    raise(requests, amountsOf(actual.allocatedResources));
    raise(requests, amountsOf(actual.resources?.requests));
  }
  return requests;
}

function assumedRequestsOf(container: Container, pod: Pod): ResourceSum {
  const requests = requestsOf(container, pod);
  const named = container.resources?.requests ?? {};
  if (!('cpu' in named)) requests.milliCpu = assumedCpu;
  if (!('memory' in named)) requests.memory = assumedMemory;
  return requests;
}

/**
 * What a pod occupies: the larger of what its containers ask for together and what any init container asks for while it
 * runs, with restartable init containers (sidecars) counted from their start on; pod-level requests in their place;
 * plus overhead.
 */
function podRequests(pod: Pod, of: RequestsOf): ResourceAmounts {
  const { spec } = pod;
  const running = emptySum();
  const starting = emptySum();
  for (const container of spec.initContainers ?? []) {
    const requests = of(container, pod);
    if (container.restartPolicy === 'Always') {
      accumulate(running, requests, 1);
      raise(starting, running);
    } else {
      accumulate(requests, running, 1);
      raise(starting, requests);
    }
  }
  for (const container of spec.containers) accumulate(running, of(container, pod), 1);
  raise(running, starting);
  override(running, spec.resources?.requests);
  if (spec.overhead) accumulate(running, amountsOf(spec.overhead), 1);
  const { milliCpu, memory, ephemeralStorage, scalars } = running;
  if (scalars.size > 0) return running;
  if (milliCpu === 0 && memory === 0 && ephemeralStorage === 0) return NOTHING_REQUESTED;
  return { milliCpu, memory, ephemeralStorage, scalars: NOTHING_REQUESTED.scalars };
}

function override(sum: ResourceSum, list: QuantityList | undefined): void {
  if (!list) return;
  for (const [name, text] of Object.entries(list)) setAmount(sum, name, integerQuantity(name, text));
}

function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const ports: HostPort[] = [];
  const sidecars = (spec.initContainers ?? empty).filter(({ restartPolicy }) => restartPolicy === 'Always');
  for (const container of sidecars.length > 0 ? [...spec.containers, ...sidecars] : spec.containers) {
    for (const { hostIP, hostPort = 0, protocol = 'TCP' } of container.ports ?? empty) {
      if (hostPort > 0) ports.push({ ip: hostIP || '0.0.0.0', protocol, port: hostPort });
    }
  }
  return ports.length > 0 ? ports : empty;
}

function claimsOf({ metadata, spec }: Live<Pod>): readonly string[] {
  if (!spec.volumes) return empty;
  return spec.volumes.flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (persistentVolumeClaim) return [persistentVolumeClaim.claimName];
    return ephemeral ? [`${metadata.name}-${name}`] : [];
  });
}
