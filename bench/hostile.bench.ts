import { Agent, request, type AgentOptions, type RequestOptions } from 'node:https';
import { systemClock } from '../src/base/clock.ts';
import { connectionOf, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { quantile, type BenchRow } from './bench-row.ts';

export const name = "hostile: one client's GETs, p99, while another one is hostile, beside the quiet run";

const GETS = 1_500;
const path = '/api/v1/namespaces/default';

/** The server, and with what the client shows itself. */
type Target = Pick<AgentOptions, 'ca' | 'cert' | 'key'> & { readonly host: string; readonly port: number };

/** A client that does harm until it is stopped. */
type Attack = (options: Target) => { stop(): void } | Promise<{ stop(): void }>;

/** The p99 of GETs, four at a time, next to attackers in a process of their own kind; the limit is the quiet run before each. */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const cluster = await startBenchCluster(['--nodes', '0']);
  const { server, ca, cert, key } = await connectionOf(await readKubeconfigs([cluster.kubeconfig]));
  const { hostname: host, port } = new URL(server);
  const options = { host, port: Number(port), ca, cert, key };
  const quietAgent = new Agent({ keepAlive: true, maxSockets: 4, ca, cert, key });
  try {
    await p99(options, quietAgent);
    for (const [what, attack] of Object.entries(attacks)) {
      const limit = await p99(options, quietAgent);
      const running = await attack(options);
      const value = await p99(options, quietAgent);
      running.stop();
      report({ what, value, unit: 'ms', limit });
    }
  } finally {
    quietAgent.destroy();
    await cluster.stop();
  }
}

async function p99(options: Target, agent: Agent): Promise<number> {
  const times: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < GETS) {
      next += 1;
      const start = systemClock.monotonic();
      await ask({ ...options, agent, path });
      times.push(systemClock.monotonic() - start);
    }
  };
  await Promise.all([client(), client(), client(), client()]);
  return quantile(times, 0.99);
}

function ask(options: RequestOptions, body?: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request(options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    outgoing.on('error', () => resolve(0));
    outgoing.end(body);
  });
}

function send(options: Target, to: string, object: object): Promise<number> {
  const bytes = Buffer.from(JSON.stringify(object));
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
  return ask({ ...options, path: to, method: 'POST', headers }, bytes);
}

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** A definition of custom resources whose `spec` has this schema. */
function definition(plural: string, spec: object): object {
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } };
  const names = { plural, singular: plural, kind: `K${plural}`, listKind: `K${plural}List` };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const metadata = { name: `${plural}.bench.example` };
  const body = { group: 'bench.example', scope: 'Namespaced', names, versions };
  return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec: body };
}

const attacks: Readonly<Record<string, Attack>> = {
  async '1,000 watches'(options) {
    const agent = new Agent({ ...options, maxSockets: 1_000 });
    const open = Array.from({ length: 1_000 }, () => {
      const outgoing = request({ ...options, agent, path: '/api/v1/configmaps?watch=1' }, (response) =>
        response.resume(),
      );
      outgoing.on('error', () => undefined);
      outgoing.end();
      return outgoing;
    });
    await Promise.all(open.map((one) => new Promise((resolve) => one.once('response', resolve))));
    return { stop: () => agent.destroy() };
  },
  'a client that never reads'(options) {
    const agent = new Agent({ ...options, maxSockets: 32 });
    for (let at = 0; at < 32; at += 1) {
      const outgoing = request({ ...options, agent, path: '/openapi/v2' }, (response) => response.pause());
      outgoing.on('error', () => undefined);
      outgoing.end();
    }
    return { stop: () => agent.destroy() };
  },
  'a byte a second'(options) {
    const agent = new Agent({ ...options, maxSockets: 64 });
    const headers = { 'content-type': 'application/json', 'content-length': 100_000 };
    const open = Array.from({ length: 64 }, () => {
      const outgoing = request({ ...options, agent, method: 'POST', path: `${path}/configmaps`, headers });
      outgoing.on('error', () => undefined);
      return outgoing;
    });
    const timer = setInterval(() => {
      for (const one of open) one.write('{');
    }, 1_000);
    return {
      stop() {
        clearInterval(timer);
        agent.destroy();
      },
    };
  },
  'bodies of 100 MB'(options) {
    const body = Buffer.alloc(100 << 20, 0x20);
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    return repeat(() => ask({ ...options, method: 'POST', path: `${path}/configmaps`, headers }, body));
  },
  async 'a CEL rule of quadratic cost'(options) {
    const items = { type: 'array', maxItems: 1_000, items: { type: 'integer' } };
    const rule = { rule: 'self.a.all(x, self.a.all(y, x == y || x != y))' };
    const spec = { type: 'object', properties: { a: items }, 'x-kubernetes-validations': [rule] };
    await send(options, definitions, definition('loops', spec));
    const object = {
      apiVersion: 'bench.example/v1',
      kind: 'Kloops',
      metadata: { generateName: 'a-' },
      spec: { a: Array.from({ length: 1_000 }, (_, at) => at) },
    };
    return repeat(() => send(options, '/apis/bench.example/v1/namespaces/default/loops', object));
  },
  'definitions of 10,000 properties'(options) {
    let at = 0;
    return repeat(() => {
      at += 1;
      const properties = Object.fromEntries(
        Array.from({ length: 10_000 }, (_, index) => [`p${index}`, { type: 'string' }]),
      );
      return send(options, definitions, definition(`wide${at}`, { type: 'object', properties }));
    });
  },
};

function repeat(once: () => Promise<unknown>): { stop(): void } {
  const stop = new AbortController();
  const again = async (): Promise<void> => {
    while (!stop.signal.aborted) await once();
  };
  void again();
  return { stop: () => stop.abort() };
}
