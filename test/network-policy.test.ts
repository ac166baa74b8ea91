import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

/**
 * Listens on 80 and 81 by TCP and on 80 by UDP, and tells the node on 9000 whom it reaches: `POST` a list of
 * `protocol host port`, get a list of answers.
 */
const agent = `
const http = require('node:http'); const net = require('node:net'); const dgram = require('node:dgram'); const dns = require('node:dns/promises');
const me = require('node:os').hostname();
for (const port of [80, 81]) net.createServer((socket) => socket.on('error', () => {}).end(me)).listen(port);
const udp = dgram.createSocket('udp4').on('message', (text, from) => udp.send(me, from.port, from.address)).bind(80);
const tries = {
  tcp: (host, port) => new Promise((done) => {
    const socket = net.connect({ host, port, timeout: 1500 });
    socket.on('data', () => {}).on('end', () => done('ok')).on('timeout', () => { socket.destroy(); done('timeout'); }).on('error', (error) => done(error.code));
  }),
  udp: (host, port) => new Promise((done) => {
    const socket = dgram.createSocket('udp4'); const end = (answer) => { clearTimeout(timer); socket.close(); done(answer); };
    const timer = setTimeout(() => end('timeout'), 1500);
    socket.on('message', () => end('ok')).on('error', (error) => end(error.code)); socket.send('?', port, host);
  }),
  name: (host) => Promise.race([dns.resolve4(host).then(() => 'ok', (error) => error.code), new Promise((done) => setTimeout(done, 1500, 'timeout'))]),
};
http.createServer((request, response) => {
  let text = ''; request.on('data', (part) => (text += part)).on('end', async () => {
    const answers = await Promise.all(JSON.parse(text).map((line) => { const [protocol, host, port] = line.split(' '); return tries[protocol](host, Number(port)); }));
    response.setHeader('connection', 'close').end(JSON.stringify(answers));
  });
}).listen(9000);
process.on('SIGTERM', () => process.exit());
`;

const places = ['x/a', 'x/b', 'x/c', 'y/a', 'y/b', 'y/c', 'z/a', 'z/b', 'z/c'];
const from = (namespace: string): object => ({ namespaceSelector: { matchLabels: { ns: namespace } } });
const only = (pod: string): object => ({ podSelector: { matchLabels: { pod } } });

function policy(namespace: string, name: string, spec: object): object {
  const metadata = { namespace, name };
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec };
}

function manifests(): readonly object[] {
  return [
    ...['x', 'y', 'z'].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { ns: name } },
    })),
    ...places.map((place) => {
      const [namespace, name = ''] = place.split('/');
      return {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, name, labels: { pod: name } },
        spec: {
          automountServiceAccountToken: false,
          containers: [
            {
              name: 'main',
              image: 'kanoe.local/node',
              command: ['node', '-e', agent],
              ports: [{ name: 'serve-80', containerPort: 80 }],
              readinessProbe: { tcpSocket: { port: 9000 }, periodSeconds: 1 },
            },
          ],
        },
      };
    }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'x', name: 'a' },
      spec: { selector: { pod: 'a' }, ports: [{ port: 8000, targetPort: 80 }] },
    },
  ];
}

for (const { machine, args } of [
  { machine: 'a machine', args: [] },
  { machine: 'three nodes with networks of their own', args: ['--nodes', '3'] },
])
  describeWith({ root: true, kubectl: true }, `network policies on ${machine}`, () => {
    let cluster: Workplace;
    let kubectl: Kubectl;
    const addresses = new Map<string, string>();
    const made: (readonly [string, string])[] = [];

    beforeAll(async () => {
      cluster = await startKanoe(args);
      kubectl = cluster.kubectl();
      await kubectl.apply(manifests());
      await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--all-namespaces', '--timeout=120s');
      for (const place of places) {
        const [namespace = '', name = ''] = place.split('/');
        addresses.set(
          place,
          await kubectl('get', 'pod', '-n', namespace, name, '-o', 'jsonpath={.status.podIP}'),
        );
      }
    }, 200_000);
    afterAll(() => cluster?.stop());
    afterEach(async () => {
      for (const [namespace, name] of made.splice(0))
        await kubectl('delete', 'networkpolicy', '-n', namespace, name);
    });

    async function apply(...policies: readonly object[]): Promise<void> {
      for (const one of policies as readonly { readonly metadata: { namespace: string; name: string } }[])
        made.push([one.metadata.namespace, one.metadata.name]);
      await kubectl.apply(policies);
    }

    async function probe(source: string, lines: readonly string[]): Promise<readonly string[]> {
      const answer = await fetch(`http://${addresses.get(source)}:9000/`, {
        method: 'POST',
        body: JSON.stringify(lines),
      });
      return (await answer.json()) as readonly string[];
    }

    /** The whole matrix: who reaches whom at a port. `x/a: x/a y/b`, a line for each source that reaches anybody. */
    async function matrix(protocol: 'tcp' | 'udp', port: number): Promise<readonly string[]> {
      const lines = places.map((place) => `${protocol} ${addresses.get(place)} ${port}`);
      const rows = await Promise.all(places.map((source) => probe(source, lines)));
      return rows.map((row, at) => {
        const reached = places.filter((_, target) => row[target] === 'ok');
        return `${places[at]}: ${reached.length === places.length ? 'all' : reached.join(' ')}`;
      });
    }

    const everybody = (but: Readonly<Record<string, string>> = {}): readonly string[] =>
      places.map((place) => `${place}: ${but[place] ?? 'all'}`);
    const without = (...missing: readonly string[]): string =>
      places.filter((place) => !missing.includes(place)).join(' ');

    it('are not there: all reach all', async () => {
      expect(await matrix('tcp', 80)).toEqual(everybody());
      expect(await matrix('udp', 80)).toEqual(everybody());
    });

    it('that deny leave every pod itself and its probes', async () => {
      await apply(policy('x', 'deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }));
      const others = without('x/a', 'x/b', 'x/c');
      await eventually(async () =>
        expect(await matrix('tcp', 80)).toEqual(
          places.map((place) => `${place}: ${place.startsWith('x') ? place : others}`),
        ),
      );
      const ready = 'jsonpath={.items[*].status.containerStatuses[0].ready}';
      expect(await kubectl('get', 'pods', '-n', 'x', '-o', ready)).toBe('true true true');
    });

    it('that deny what goes out deny names, too, until they are allowed', async () => {
      const api = await kubectl('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIP}');
      await apply(policy('x', 'deny', { podSelector: {}, policyTypes: ['Egress'] }));
      const lines = ['name a.x.svc.cluster.local', `tcp ${addresses.get('y/a')} 80`, `tcp ${api} 443`];
      await eventually(async () =>
        expect(await probe('x/b', lines)).toEqual([expect.not.stringMatching('ok'), 'timeout', 'timeout']),
      );
      await apply(
        policy('x', 'dns', {
          podSelector: {},
          policyTypes: ['Egress'],
          egress: [
            {
              to: [
                {
                  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
                  podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
                },
              ],
              ports: [
                { protocol: 'UDP', port: 'dns' },
                { protocol: 'TCP', port: 53 },
              ],
            },
          ],
        }),
      );
      await eventually(async () => expect(await probe('x/b', lines)).toEqual(['ok', 'timeout', 'timeout']));
    });

    it('that allow pods of a namespace allow those at their port', async () => {
      await apply(
        policy('x', 'allow', {
          podSelector: { matchLabels: { pod: 'a' } },
          ingress: [{ from: [{ ...from('y'), ...only('b') }], ports: [{ port: 'serve-80' }] }],
        }),
      );
      const rest = without('x/a');
      await eventually(async () =>
        expect(await matrix('tcp', 80)).toEqual(
          places.map((place) => `${place}: ${place === 'x/a' || place === 'y/b' ? 'all' : rest}`),
        ),
      );
      expect(await matrix('tcp', 81)).toEqual(
        places.map((place) => `${place}: ${place === 'x/a' ? 'all' : rest}`),
      );
    });

    it('add up, and hold for calls through a service', async () => {
      await apply(
        policy('x', 'b', { podSelector: {}, ingress: [{ from: [only('b')] }] }),
        policy('x', 'z', { podSelector: {}, ingress: [{ from: [from('z')], ports: [{ port: 81 }] }] }),
      );
      const service = await kubectl('get', 'service', '-n', 'x', 'a', '-o', 'jsonpath={.spec.clusterIP}');
      const call = async (source: string): Promise<string> =>
        (await probe(source, [`tcp ${service} 8000`]))[0] ?? '';
      await eventually(async () => expect(await call('x/c')).toBe('timeout'));
      expect(await Promise.all(['x/a', 'x/b', 'y/b', 'z/a'].map(call))).toEqual([
        'ok',
        'ok',
        'timeout',
        'timeout',
      ]);
      expect((await matrix('tcp', 81)).slice(6)).toEqual(['z/a: all', 'z/b: all', 'z/c: all']);
    });

    it('are in force when a pod that they select starts, and follow labels', async () => {
      await apply(policy('z', 'deny', { podSelector: { matchLabels: { closed: 'yes' } } }));
      await kubectl('label', 'pod', '-n', 'z', 'c', 'closed=yes');
      const line = [`tcp ${addresses.get('z/c')} 80`];
      await eventually(async () => expect(await probe('x/a', line)).toEqual(['timeout']));
      await kubectl('label', 'pod', '-n', 'z', 'c', 'closed-');
      await eventually(async () => expect(await probe('x/a', line)).toEqual(['ok']));
      expect(await matrix('tcp', 80)).toEqual(everybody());
    });
  });

describe.each([
  { title: 'without nft', args: [], without: ['nft'], why: 'nft is not installed' },
  {
    title: 'with the process runtime',
    args: ['--runtime', 'process'],
    without: [],
    why: "pods run as plain processes and share the machine's network",
  },
])('$title', ({ args, without, why }) => {
  describeWith({ root: true, kubectl: true }, 'network policies', () => {
    let cluster: Workplace;
    beforeAll(async () => {
      cluster = await startKanoe(args, { without });
    });
    afterAll(() => cluster?.stop());

    it('are not enforced, and that is said', async () => {
      const kubectl = cluster.kubectl();
      await kubectl.apply([policy('default', 'deny', { podSelector: {} })]);
      const message = 'jsonpath={.items[?(@.reason=="NotEnforced")].message}';
      await eventually(async () =>
        expect(await kubectl('get', 'events', '-o', message)).toBe(
          `this machine does not enforce network policies: ${why}; all connections stay allowed`,
        ),
      );
      expect(await cluster.mustKanoe(['status'])).toContain(`network policies are not enforced: ${why}`);
    });
  });
});
