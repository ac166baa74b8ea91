import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode, RECURSION_DESIRED } from 'dns-packet';
import { deployments, type Deployment } from '../src/api/apps/v1.gen.ts';
import { pods, services, type Pod, type PodSpec } from '../src/api/core/v1.gen.ts';
import { endpointslices, type EndpointSlice } from '../src/api/discovery/v1.gen.ts';
import { networkpolicies } from '../src/api/networking/v1.gen.ts';
import type { Client } from '../src/client/client.ts';
import { runTool } from '../src/network/run-tool.ts';
import { machineWithout } from '../test/support/machine-without.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { quantile, type Report } from './bench-row.ts';

export const name = 'network: services, names, changes of endpoints, rolling updates';

const measureMs = 2_000;
const changes = 40;
const policyChanges = 20;
const replicas = 10;

/** Pods that call each other through both proxies, beside the same calls without a service. */
export async function run(report: Report): Promise<void> {
  await measureProxy('nftables', [], report);
  const scratch = await mkdtemp(join(tmpdir(), 'kanoe-bench-machine-'));
  const machine = await machineWithout(['nft'], join(scratch, 'hidden'));
  try {
    await measureProxy('sockets', machine.enter, report);
  } finally {
    machine.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measureProxy(proxy: string, enter: readonly string[], report: Report): Promise<void> {
  const cluster = await startBenchCluster([], enter);
  try {
    const { client } = cluster;
    const script = await readFile('bench/network-load.mjs', 'utf8');
    const [caller, server] = await Promise.all([
      startPod(client, 'caller', script),
      startPod(client, 'server', script),
    ]);
    const service = await client.for(services).create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'default', name: 'server' },
      spec: { selector: { app: 'server' }, ports: [{ port: 7000 }] },
    });
    const serviceIP = service.spec?.clusterIP ?? '';
    await answers(serviceIP, 7000);
    await measureCalls({ proxy, caller, direct: server, through: serviceIP, report });
    await measureNames({ proxy, caller, server, client, report });
    await measureChanges({ proxy, server, client, report });
    if (proxy === 'nftables') {
      await measurePolicies({ caller, server, client, report });
      await measureRollout({ caller, client, script, report });
    }
  } finally {
    await cluster.stop();
  }
}

interface Calls {
  readonly proxy: string;
  readonly caller: string;
  readonly direct: string;
  readonly through: string;
  readonly report: Report;
}

async function measureCalls({ proxy, caller, direct, through, report }: Calls): Promise<void> {
  const kinds = [
    { what: 'throughput', unit: 'MB/s', options: { ms: measureMs } },
    { what: 'latency', unit: 'us', options: { rounds: 3_000 } },
    { what: 'connections', unit: '/s', options: { ms: measureMs, atOnce: 16 } },
  ];
  for (const { what, unit, options } of kinds) {
    // Once to warm up, and in turn, so that what else the machine does falls on both. Ports differ, for of two connections
    // from one port to one pod and port, one of them through the proxy, the kernel refuses the later.
    const measured = { direct: [] as number[], through: [] as number[] };
    for (let round = 0; round < 4; round++)
      for (const [way, host, port] of [
        ['direct', direct, 7001],
        ['through', through, 7000],
      ] as const)
        measured[way].push((await ask(caller, { what, host, port, ...options })) as number);
    const value = quantile(measured.through.slice(1), 0.5);
    report({ what: `${proxy}: ${what}`, value, unit, limit: quantile(measured.direct.slice(1), 0.5) });
  }
}

interface Names {
  readonly proxy: string;
  readonly caller: string;
  readonly server: string;
  readonly client: Client;
  readonly report: Report;
}

async function measureNames({ proxy, caller, server, client, report }: Names): Promise<void> {
  const dns = await client.for(services).get({ namespace: 'kube-system', name: 'kube-dns' });
  const message = encode({
    type: 'query',
    id: 4711,
    flags: RECURSION_DESIRED,
    questions: [{ type: 'A', name: 'server.default.svc.cluster.local' }],
  }).toString('base64');
  const options = { what: 'datagrams', ms: measureMs, atOnce: 32, message };
  const echoed: number[] = [];
  const resolved: number[] = [];
  for (let round = 0; round < 4; round++) {
    echoed.push((await ask(caller, { ...options, host: server, port: 7000 })) as number);
    resolved.push((await ask(caller, { ...options, host: dns.spec?.clusterIP, port: 53 })) as number);
  }
  const limit = quantile(echoed.slice(1), 0.5);
  report({ what: `${proxy}: DNS queries`, value: quantile(resolved.slice(1), 0.5), unit: '/s', limit });
}

interface Changes {
  readonly proxy: string;
  readonly server: string;
  readonly client: Client;
  readonly report: Report;
}

/** From the request that changes an EndpointSlice to the first connection that leads to the new endpoint. */
async function measureChanges({ proxy, server, client, report }: Changes): Promise<void> {
  const service = await client.for(services).create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'changing' },
    spec: { ports: [{ port: 7002 }] },
  });
  let slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'default',
      name: 'changing',
      labels: { 'kubernetes.io/service-name': 'changing' },
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: [server], conditions: { ready: true } }],
    ports: [{ name: '', port: 7000 }],
  };
  slice = await client.for(endpointslices).create(slice);
  await answers(service.spec?.clusterIP ?? '', 7002);
  const times: number[] = [];
  for (let round = 0; round < changes; round++) {
    const port = round % 2 === 0 ? 7001 : 7000;
    const started = performance.now();
    slice = await client.for(endpointslices).update({ ...slice, ports: [{ name: '', port }] });
    while (!(await whoAnswers(service.spec?.clusterIP ?? '', 7002)).endsWith(` ${port}`));
    times.push(performance.now() - started);
  }
  const limit = proxy === 'nftables' ? { limit: await bareNft() } : {};
  report({
    what: `${proxy}: endpoint changed → in force, p50`,
    value: quantile(times, 0.5),
    unit: 'ms',
    ...limit,
  });
  report({
    what: `${proxy}: endpoint changed → in force, p99`,
    value: quantile(times, 0.99),
    unit: 'ms',
    ...limit,
  });
}

/** Milliseconds of an `nft` that changes one rule in a small table of its own, the median. */
async function bareNft(): Promise<number> {
  const table = `ip kanoe-bench-${process.pid}`;
  const times: number[] = [];
  await runTool('nft', ['-f', '-'], `add table ${table}\nadd chain ${table} c\n`);
  try {
    for (let round = 0; round < 15; round++) {
      const started = performance.now();
      await runTool('nft', ['-f', '-'], `flush chain ${table} c\nadd rule ${table} c accept\n`);
      times.push(performance.now() - started);
    }
  } finally {
    await runTool('nft', ['delete', 'table', ...table.split(' ')]);
  }
  return quantile(times, 0.5);
}

interface Policies {
  readonly caller: string;
  readonly server: string;
  readonly client: Client;
  readonly report: Report;
}

/** From the request that makes (or deletes) a NetworkPolicy to the first connection that fails (or comes about) again. */
async function measurePolicies({ caller, server, client, report }: Policies): Promise<void> {
  const closing: number[] = [];
  const opening: number[] = [];
  const metadata = { namespace: 'default', name: 'closed' };
  const turn = async (wanted: { readonly open: boolean }): Promise<number> =>
    (await ask(caller, { what: 'turn', host: server, port: 7000, ...wanted })) as number;
  for (let round = 0; round < policyChanges; round++) {
    const made = Date.now();
    await client.for(networkpolicies).create({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec: { podSelector: { matchLabels: { app: 'server' } } },
    });
    closing.push((await turn({ open: false })) - made);
    const deleted = Date.now();
    await client.for(networkpolicies).delete(metadata);
    opening.push((await turn({ open: true })) - deleted);
  }
  report({ what: 'policy made → in force, p50', value: quantile(closing, 0.5), unit: 'ms' });
  report({ what: 'policy made → in force, p99', value: quantile(closing, 0.99), unit: 'ms' });
  report({ what: 'policy deleted → connections again, p50', value: quantile(opening, 0.5), unit: 'ms' });
}

interface Rollout {
  readonly caller: string;
  readonly client: Client;
  readonly script: string;
  readonly report: Report;
}

/** Requests that fail while all replicas are replaced. */
async function measureRollout({ caller, client, script, report }: Rollout): Promise<void> {
  const labels = { app: 'rolling' };
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: 'default', name: 'rolling' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: loadSpec(script, { readinessProbe: { httpGet: { port: 9000 }, periodSeconds: 1 } }),
      },
    },
  };
  await client.for(deployments).create(deployment);
  const service = await client.for(services).create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'rolling' },
    spec: { selector: labels, ports: [{ port: 9000 }] },
  });
  const host = service.spec?.clusterIP ?? '';
  await rolledOut(client);
  await answers(host, 9000);
  const load = ask(caller, { what: 'requests', host, port: 9000, atOnce: 4 });
  const started = performance.now();
  const patch = { spec: { template: { metadata: { annotations: { round: 'two' } } } } };
  await client
    .for(deployments)
    .patch({ namespace: 'default', name: 'rolling' }, patch, { type: 'application/merge-patch+json' });
  await rolledOut(client);
  const elapsed = performance.now() - started;
  await ask(caller, { what: 'stop' });
  const { answered, failures } = (await load) as { answered: number; failures: readonly string[] };
  if (failures.length > 0) console.error(`  ${[...new Set(failures)].join('\n  ')}`);
  report({ what: `rolling update of ${replicas}: requests answered`, value: answered, unit: '' });
  report({ what: `rolling update of ${replicas}: requests failed`, value: failures.length, unit: '' });
  report({ what: `rolling update of ${replicas}: took`, value: elapsed, unit: 'ms' });
}

async function rolledOut(client: Client): Promise<void> {
  for (;;) {
    const { metadata, status } = await client.for(deployments).get({ namespace: 'default', name: 'rolling' });
    const done =
      status?.observedGeneration === metadata.generation &&
      status?.updatedReplicas === replicas &&
      status.replicas === replicas &&
      status.availableReplicas === replicas;
    if (done) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function loadSpec(script: string, container: object = {}): PodSpec {
  return {
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'main',
        image: 'kanoe.local/node',
        imagePullPolicy: 'IfNotPresent',
        command: ['node', '--input-type=module', '-e', script],
        env: [{ name: 'LINGER_MS', value: '2000' }],
        ...container,
      },
    ],
  };
}

/** The address of a new pod that is ready to be asked. */
async function startPod(client: Client, podName: string, script: string): Promise<string> {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace: 'default', labels: { app: podName } },
    spec: loadSpec(script),
  };
  await client.for(pods).create(pod);
  for (;;) {
    const { status } = await client.for(pods).get({ namespace: 'default', name: podName });
    if (status?.podIP !== undefined && status.podIP !== '') {
      await answers(status.podIP, 7000);
      return status.podIP;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function answers(host: string, port: number): Promise<void> {
  while ((await whoAnswers(host, port)) === '') await new Promise((resolve) => setTimeout(resolve, 20));
}

/** What the other side calls itself; empty when nobody answers. */
function whoAnswers(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host, port }, () => socket.write('n'));
    socket
      .on('data', (part) => (text += String(part)))
      .on('error', () => resolve(''))
      .on('close', () => resolve(text));
  });
}

/** Has a pod measure something. */
function ask(host: string, body: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host, port: 9000, method: 'POST' }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text)),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}
