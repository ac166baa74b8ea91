import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from './cluster-error.ts';

/** A node of this machine that a cluster has, whether it runs or not. */
export interface PlannedNode {
  readonly name: string;
  /** From 0; decides its directory and its pods' addresses. */
  readonly index: number;
  /** Whether its pods hang from the machine's network or from a namespace of the node's own. */
  readonly network: 'machine' | 'own';
  /** Somebody stopped it. */
  readonly stopped?: boolean;
}

export interface NodesRequest {
  readonly cluster: string;
  /** Absent: those of last time, or one. */
  readonly count: number | undefined;
  /** Whether containers of an earlier process may still run: nodes stay in the network where they are. */
  readonly former: 'may run' | 'ended';
  /** How many networks for pods there are. */
  readonly limit: number;
}

/**
 * The nodes that a cluster is to have: as many of those of last time as are wanted, and new ones. A single node shares the
 * machine's network, several have their own. Throws `INVALID_OPTION` for more than there are networks.
 */
export function planNodes(known: readonly PlannedNode[], request: NodesRequest): readonly PlannedNode[] {
  const { cluster, count = Math.max(known.length, 1), former, limit } = request;
  if (count > limit)
    throw new ClusterError(
      'INVALID_OPTION',
      `--nodes ${count} is more than the pod network has room for: ${limit}; give a larger --pod-cidr`,
    );
  const kept = [...known].sort((a, b) => a.index - b.index).slice(0, count);
  const nodes = [...kept];
  while (nodes.length < count) nodes.push({ ...nextNode(nodes, cluster), network: 'own' });
  const network = count > 1 ? 'own' : 'machine';
  return nodes.map((node) => {
    const { stopped: _stopped, ...rest } = node;
    return { ...rest, network: former === 'may run' && kept.includes(node) ? node.network : network };
  });
}

/** Name and number of one more node. The first has the cluster's own name, so that it stays the same when others come. */
export function nextNode(
  nodes: readonly Pick<PlannedNode, 'name' | 'index'>[],
  cluster: string,
): { readonly name: string; readonly index: number } {
  let index = 0;
  const nameOf = (at: number): string => (at === 0 ? cluster : `${cluster}-${at + 1}`);
  while (nodes.some((node) => node.index === index || node.name === nameOf(index))) index += 1;
  return { name: nameOf(index), index };
}

/** The nodes that a data directory's cluster had last; none when it never had one. */
export async function readNodes(dataDirectory: string): Promise<readonly PlannedNode[]> {
  const text = await readFile(fileOf(dataDirectory), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  return JSON.parse(text) as readonly PlannedNode[];
}

export async function writeNodes(dataDirectory: string, nodes: readonly PlannedNode[]): Promise<void> {
  const file = fileOf(dataDirectory);
  await writeFile(`${file}.tmp`, `${JSON.stringify(nodes)}\n`, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
}

function fileOf(dataDirectory: string): string {
  return join(dataDirectory, 'nodes.json');
}
