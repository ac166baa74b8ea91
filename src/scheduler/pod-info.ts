import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { parseQuantity, quantityMilliValue, quantityValue } from '../machinery/quantity.ts';

/** Amounts by resource name: `cpu` in thousandths, everything else in whole units. */
export type Amounts = ReadonlyMap<string, number>;

/** A port that a pod takes on its node. */
export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** A pod with what scheduling it needs to know, computed once. */
export interface PodInfo {
  readonly pod: Live<Pod>;
  readonly requests: Amounts;
  /** Requests for scoring: pods that ask for nothing count as 100m and 200 MiB, as upstream's. */
  readonly scoringCpu: number;
  readonly scoringMemory: number;
  readonly hostPorts: readonly HostPort[];
}

const assumedCpu = 100;
const assumedMemory = 200 * 1024 * 1024;

export function podInfo(pod: Live<Pod>): PodInfo {
  const requests = podRequests(pod);
  return {
    pod,
    requests,
    scoringCpu: requests.get('cpu') ?? assumedCpu * pod.spec.containers.length,
    scoringMemory: requests.get('memory') ?? assumedMemory * pod.spec.containers.length,
    hostPorts: hostPortsOf(pod),
  };
}

/** Reads amounts as {@link Amounts} holds them. */
export function amountsOf(list: Readonly<Record<string, string>> | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [name, text] of Object.entries(list ?? {})) {
    const quantity = parseQuantity(text);
    amounts.set(name, Number(name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)));
  }
  return amounts;
}

/**
 * What a pod occupies: the larger of what its containers ask for together and what any init container asks for while it
 * runs, with restartable init containers (sidecars) counted from their start on, plus overhead.
 */
function podRequests({ spec }: Pod): Amounts {
  const running = new Map<string, number>();
  const starting = new Map<string, number>();
  for (const container of spec.initContainers ?? []) {
    const requests = amountsOf(container.resources?.requests);
    if (container.restartPolicy === 'Always') {
      add(running, requests);
      raise(starting, running);
    } else {
      add(requests, running);
      raise(starting, requests);
    }
  }
  for (const container of spec.containers) add(running, amountsOf(container.resources?.requests));
  raise(running, starting);
  for (const [name, amount] of amountsOf(spec.resources?.requests)) running.set(name, amount);
  add(running, amountsOf(spec.overhead));
  return running;
}

function add(sum: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) sum.set(name, (sum.get(name) ?? 0) + amount);
}

function raise(sum: Map<string, number>, amounts: Amounts): void {
  for (const [name, amount] of amounts) sum.set(name, Math.max(sum.get(name) ?? 0, amount));
}

function hostPortsOf({ spec }: Pod): HostPort[] {
  const sidecars = (spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  return [...spec.containers, ...sidecars].flatMap((container: Container) =>
    (container.ports ?? [])
      .filter((port) => (port.hostPort ?? 0) > 0)
      .map((port) => ({
        ip: port.hostIP || '0.0.0.0',
        protocol: port.protocol ?? 'TCP',
        port: port.hostPort ?? 0,
      })),
  );
}
