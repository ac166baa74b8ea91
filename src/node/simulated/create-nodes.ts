import { formatIpv4, parseIpv4Range } from '../../base/ipv4.ts';
import { nodes, type Node } from '../../api/core/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { NODE_ANNOTATION, SCALE_LABEL } from './kwok/stage.ts';

export interface SimulatedNodeOptions {
  readonly count: number;
  /** What each offers, by resource name. */
  readonly capacity: Readonly<Record<string, string>>;
  readonly zones: readonly string[];
  /** Whether pods need a toleration of `kwok.x-k8s.io/node=fake:NoSchedule`. */
  readonly tainted: boolean;
}

/** As KWOK's own template for nodes. */
export const defaultCapacity: Readonly<Record<string, string>> = { cpu: '32', memory: '256Gi', pods: '110' };

/** Networks of simulated nodes: the addresses that carriers use inside, 16,384 times 256 of them. */
const NETWORKS = '100.64.0.0/10';
const CONCURRENCY = 128;

/** Makes those of the nodes `node-000000`, `node-000001` … that are not there. */
export async function createSimulatedNodes(client: Client, options: SimulatedNodeOptions): Promise<void> {
  const resource = client.for(nodes);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < options.count) {
      await resource.create(simulatedNode(next++, options)).catch((error: unknown) => {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** The node of that number, as KWOK's users write them. */
export function simulatedNode(index: number, { capacity, zones, tainted }: SimulatedNodeOptions): Node {
  const name = `node-${String(index).padStart(6, '0')}`;
  const podCIDR = networkOf(index);
  const zone = zones[index % zones.length];
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { [NODE_ANNOTATION]: 'fake', 'node.alpha.kubernetes.io/ttl': '0' },
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/role': 'agent',
        'node-role.kubernetes.io/agent': '',
        type: 'kwok',
        [SCALE_LABEL]: 'node',
        ...(zone !== undefined && { 'topology.kubernetes.io/zone': zone }),
      },
    },
    spec: {
      ...(podCIDR !== undefined && { podCIDR, podCIDRs: [podCIDR] }),
      ...(tainted && { taints: [{ key: NODE_ANNOTATION, value: 'fake', effect: 'NoSchedule' }] }),
    },
    status: {
      allocatable: capacity,
      capacity,
      nodeInfo: {
        architecture: 'amd64',
        operatingSystem: 'linux',
        bootID: '',
        machineID: '',
        systemUUID: '',
        osImage: '',
        kernelVersion: '',
        kubeletVersion: '',
        kubeProxyVersion: '',
        containerRuntimeVersion: '',
      },
    },
  };
}

function networkOf(index: number): string | undefined {
  const range = parseIpv4Range(NETWORKS);
  if (!range || (index + 1) * 256 > range.size) return undefined;
  return `${formatIpv4(range.network + index * 256)}/24`;
}
