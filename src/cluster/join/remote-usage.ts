import { request } from 'node:https';
import { nodes, pods, type Node } from '../../api/core/v1.gen.ts';
import type { NodeUsage, PodUsage, Usage, UsageSource } from '../../api/metrics/usage.ts';
import type { Clock } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import type { InformerFactory } from '../../reconcile/informer.ts';
import type { KeyPair } from '../pki.ts';

export interface RemoteUsageOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** By whom kubelets are asked, and the authority that has signed theirs. */
  readonly credentials: KeyPair & { readonly ca: string };
  /** Whether a node is run by another process. */
  isElsewhere(node: Node): boolean;
}

interface Stats {
  readonly cpu?: { readonly time?: string; readonly usageNanoCores?: number };
  readonly memory?: { readonly workingSetBytes?: number };
}

interface Summary {
  readonly node?: Stats;
  readonly pods?: readonly {
    readonly podRef: { readonly name: string; readonly namespace: string };
    readonly containers?: readonly (Stats & { readonly name: string })[];
  }[];
}

interface NodeMeasurements {
  readonly node: readonly NodeUsage[];
  readonly pods: readonly PodUsage[];
}

const intervalMs = 10_000;
const patienceMs = 5_000;

/** What nodes elsewhere and their pods use: their kubelets are asked every ten seconds (`/stats/summary`), while there are any. */
export function followRemoteUsage(options: RemoteUsageOptions): UsageSource & { stop(): void } {
  const { informers, clock, isElsewhere } = options;
  const nodeCache = informers.for(nodes);
  const podCache = informers.for(pods);
  const measured = new Map<string, NodeMeasurements>();
  const labelsOf = (namespace: string, name: string): Readonly<Record<string, string>> =>
    podCache.get(namespace, name)?.metadata.labels ?? {};

  async function ask(node: Live<Node>): Promise<void> {
    const { name } = node.metadata;
    const summary = await fetchSummary(node, options.credentials).catch(() => undefined);
    if (summary) measured.set(name, measurementsOf(name, summary, { now: clock.now(), labelsOf }));
    else measured.delete(name);
  }

  function turn(): void {
    const elsewhere = nodeCache.list().filter((node) => isElsewhere(node) && isReady(node));
    const names = new Set(elsewhere.map(({ metadata }) => metadata.name));
    for (const name of measured.keys()) if (!names.has(name)) measured.delete(name);
    for (const node of elsewhere) void ask(node);
    timer = clock.after(intervalMs, turn);
  }
  let timer = clock.after(intervalMs, turn);

  return {
    nodes: () => [...measured.values()].flatMap(({ node }) => node),
    pods: () => [...measured.values()].flatMap((one) => one.pods),
    stop: () => timer.cancel(),
  };
}

/** What the answer of a kubelet says; what it has not measured yet is left out. */
export function measurementsOf(
  node: string,
  summary: Summary,
  context: {
    readonly now: number;
    labelsOf(namespace: string, name: string): Readonly<Record<string, string>>;
  },
): NodeMeasurements {
  const when = (stats: Stats | undefined): { readonly at: number; readonly windowMs: number } => ({
    at: stats?.cpu?.time === undefined ? context.now : Date.parse(stats.cpu.time),
    windowMs: intervalMs,
  });
  const own = usageOf(summary.node);
  return {
    node: own ? [{ node, labels: {}, ...when(summary.node), ...own }] : [],
    pods: (summary.pods ?? []).flatMap(({ podRef, containers = [] }) => {
      const used = containers.flatMap((container) => {
        const usage = usageOf(container);
        return usage ? [{ name: container.name, ...usage }] : [];
      });
      if (used.length === 0) return [];
      const { namespace, name } = podRef;
      const labels = context.labelsOf(namespace, name);
      return [{ namespace, pod: name, labels, ...when(containers[0]), containers: used }];
    }),
  };
}

function usageOf(stats: Stats | undefined): Usage | undefined {
  const { usageNanoCores: cpuNanocores } = stats?.cpu ?? {};
  const { workingSetBytes: memoryBytes } = stats?.memory ?? {};
  return cpuNanocores === undefined || memoryBytes === undefined ? undefined : { cpuNanocores, memoryBytes };
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
}

/** Trusts whom the authority has signed, at whichever address: a certificate names its node. */
async function fetchSummary(
  { status }: Node,
  credentials: RemoteUsageOptions['credentials'],
): Promise<Summary | undefined> {
  const host = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (host === undefined || port === undefined) return undefined;
  const text = await new Promise<string | undefined>((resolve, reject) => {
    const sent = request(
      {
        host,
        port,
        path: '/stats/summary',
        ...credentials,
        checkServerIdentity: () => undefined,
        timeout: patienceMs,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve(answer.statusCode === 200 ? Buffer.concat(chunks).toString() : undefined),
        );
      },
    );
    sent.on('timeout', () => sent.destroy(new Error('the kubelet does not answer')));
    sent.on('error', reject);
    sent.end();
  });
  return text === undefined ? undefined : (JSON.parse(text) as Summary);
}
