import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOutside } from './support/outside-network.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';
import { freePort } from './support/registry.ts';

const node = { image: 'kanoe.local/node', imagePullPolicy: 'IfNotPresent', name: 'main' } as const;

/** Answers HTTP and UDP with its name and the address it was called from. */
const echo = `
const name = require('node:os').hostname();
require('node:http').createServer((request, response) => response.setHeader('connection', 'close').end(JSON.stringify({ name, from: request.socket.remoteAddress.replace('::ffff:', '') }))).listen(8080);
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (text, from) => udp.send(name + ' ' + text, from.port, from.address)).bind(5000);
process.on('SIGTERM', () => process.exit());
`;

const ports = [
  { name: 'http', port: 80, targetPort: 'http' },
  { name: 'talk', port: 53, targetPort: 5000, protocol: 'UDP' },
];

function service(name: string, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'echo' }, ports, ...spec },
  };
}

function echoContainer(): object {
  return {
    ...node,
    command: ['node', '-e', echo],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
  };
}

for (const { proxy, without, caller, seenOutside } of [
  {
    proxy: 'nftables',
    without: [],
    caller: ['pod', 'client', '{.status.podIP}'],
    seenOutside: '198.51.100.1',
  },
  // Sockets on the machine carry the calls: it is the client that pods see, and nobody masquerades.
  {
    proxy: 'sockets',
    without: ['nft'],
    caller: ['node', '', '{.items[0].status.addresses[0].address}'],
    seenOutside: 'nobody',
  },
])
  describeWith({ root: true, kubectl: true }, `services and DNS by ${proxy}`, () => {
    let cluster: Workplace;
    let kubectl: Kubectl;
    let balancerPort: number;

    beforeAll(async () => {
      balancerPort = await freePort();
      cluster = await startKanoe([], { without });
      kubectl = cluster.kubectl();
      await kubectl.apply([
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'echo' },
          spec: {
            replicas: 2,
            selector: { matchLabels: { app: 'echo' } },
            template: { metadata: { labels: { app: 'echo' } }, spec: { containers: [echoContainer()] } },
          },
        },
        {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'client', labels: { app: 'client' } },
          spec: { hostname: 'one', subdomain: 'named', containers: [echoContainer()] },
        },
        service('echo', {}),
        service('headless', { clusterIP: 'None' }),
        service('named', { clusterIP: 'None', selector: { app: 'client' } }),
        service('self', { selector: { app: 'client' } }),
        service('sticky', { sessionAffinity: 'ClientIP' }),
        service('on-node', { type: 'NodePort' }),
        service('balanced', {
          type: 'LoadBalancer',
          ports: [{ name: 'http', port: balancerPort, targetPort: 'http' }],
        }),
        service('nobody', { selector: { app: 'nobody' } }),
        service('elsewhere', {
          type: 'ExternalName',
          externalName: 'echo.default.svc.cluster.local',
          selector: undefined,
          ports: undefined,
        }),
      ]);
      await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
      await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
    });
    afterAll(() => cluster?.stop());

    /** Runs an async function body in the client pod and gives what it returns. */
    const inPod = async <T>(body: string): Promise<T> => {
      const code = `(async () => { ${body} })().then((value) => console.log(JSON.stringify(value)), (error) => { console.error(error); process.exit(1); })`;
      return JSON.parse(await kubectl('exec', 'client', '--', 'node', '-e', code)) as T;
    };
    const addressOf = (name: string): Promise<string> =>
      kubectl('get', 'service', name, '-o', 'jsonpath={.spec.clusterIP}');
    const podAddresses = async (label: string): Promise<readonly string[]> =>
      (await kubectl('get', 'pods', '-l', label, '-o', 'jsonpath={.items[*].status.podIP}'))
        .split(' ')
        .sort();
    const namesFromPod = (url: string, times: number): Promise<readonly string[]> =>
      inPod(
        `const names = new Set(); for (let i = 0; i < ${times}; i++) names.add((await (await fetch('${url}')).json()).name); return [...names].sort();`,
      );
    const namesFromHost = async (url: string, times: number): Promise<readonly string[]> => {
      const names = new Set<string>();
      for (let round = 0; round < times; round += 1)
        names.add(((await (await fetch(url)).json()) as { name: string }).name);
      return [...names].sort();
    };
    const echoNames = async (): Promise<readonly string[]> =>
      (await kubectl('get', 'pods', '-l', 'app=echo', '-o', 'jsonpath={.items[*].metadata.name}'))
        .split(' ')
        .sort();

    it('spreads calls to a cluster address over its pods', async () => {
      expect(await namesFromPod('http://echo/', 30)).toEqual(await echoNames());
      expect(await namesFromHost(`http://${await addressOf('echo')}/`, 30)).toEqual(await echoNames());
    });

    it('lets a pod reach itself through its service', async () => {
      expect(await namesFromPod('http://self/', 3)).toEqual(['one']);
    });

    it('keeps a client with one pod when asked', async () => {
      expect(await namesFromPod('http://sticky/', 20)).toHaveLength(1);
    });

    it('answers on node ports, at every address of the machine', async () => {
      const port = await kubectl('get', 'service', 'on-node', '-o', 'jsonpath={.spec.ports[0].nodePort}');
      const own = Object.entries(networkInterfaces())
        .filter(([name]) => name.startsWith('eth'))
        .flatMap(([, addresses]) =>
          (addresses ?? []).filter(({ family }) => family === 'IPv4').map(({ address }) => address),
        );
      for (const address of ['127.0.0.1', ...own])
        expect(await namesFromHost(`http://${address}:${port}/`, 30)).toEqual(await echoNames());
      expect(
        await namesFromPod(
          `http://${await kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[0].address}')}:${port}/`,
          30,
        ),
      ).toEqual(await echoNames());
    });

    it('answers on load balancers, on 127.0.0.1 and at their own address', async () => {
      const address = await eventually(async () => {
        const ip = await kubectl(
          'get',
          'service',
          'balanced',
          '-o',
          'jsonpath={.status.loadBalancer.ingress[0].ip}',
        );
        expect(ip).not.toBe('');
        return ip;
      });
      expect(await namesFromHost(`http://127.0.0.1:${balancerPort}/`, 30)).toEqual(await echoNames());
      expect(await namesFromHost(`http://${address}:${balancerPort}/`, 30)).toEqual(await echoNames());
    });

    it('carries UDP, from pods and from the machine', async () => {
      const answer = await inPod<string>(
        `const socket = require('node:dgram').createSocket('udp4'); return new Promise((done) => { socket.on('message', (text) => { socket.close(); done(String(text)); }); socket.send('hello', 53, 'echo'); });`,
      );
      expect(answer).toMatch(/^echo-\S+ hello$/);
      const port = Number(
        await kubectl('get', 'service', 'on-node', '-o', 'jsonpath={.spec.ports[1].nodePort}'),
      );
      expect(await askByUdp(port, 'hi')).toMatch(/^echo-\S+ hi$/);
    });

    it('refuses calls to a service that has no pods', async () => {
      const code = await inPod<string>(
        `return fetch('http://nobody/').then(() => 'answered', (error) => error.cause.code);`,
      );
      expect(code).toBe('ECONNREFUSED');
    });

    it('resolves names of services as the DNS specification says', async () => {
      const address = await addressOf('echo');
      const lookups = await inPod<readonly string[]>(
        `const { lookup } = require('node:dns/promises'); return Promise.all(['echo', 'echo.default', 'echo.default.svc', 'echo.default.svc.cluster.local'].map(async (name) => (await lookup(name)).address));`,
      );
      expect(lookups).toEqual([address, address, address, address]);
      const { pods, srv, host, ptr, alias, aliased, pod, missing } = await inPod<
        Readonly<{
          pods: string[];
          srv: object[];
          host: string[];
          ptr: string[];
          alias: string[];
          aliased: string[];
          pod: string[];
          missing: string;
        }>
      >(`
      const dns = require('node:dns/promises'); const suffix = '.default.svc.cluster.local';
      return {
        pods: (await dns.resolve4('headless' + suffix)).sort(),
        srv: await dns.resolveSrv('_http._tcp.named' + suffix),
        host: await dns.resolve4('one.named' + suffix),
        ptr: await dns.reverse('${address}'),
        alias: await dns.resolveCname('elsewhere' + suffix),
        aliased: await dns.resolve4('elsewhere' + suffix),
        pod: await dns.resolve4('10-1-2-3.default.pod.cluster.local'),
        missing: await dns.resolve4('missing' + suffix).catch((error) => error.code),
      };`);
      expect(pods).toEqual(await podAddresses('app=echo'));
      expect(srv).toMatchObject([{ name: 'one.named.default.svc.cluster.local', port: 8080 }]);
      expect(host).toEqual(await podAddresses('app=client'));
      expect(ptr).toEqual(['echo.default.svc.cluster.local']);
      expect(alias).toEqual(['echo.default.svc.cluster.local']);
      expect(aliased).toEqual([address]);
      expect(pod).toEqual(['10.1.2.3']);
      expect(missing).toBe('ENOTFOUND');
    });

    it('tells pods where names are resolved', async () => {
      const text = await kubectl(
        'exec',
        'client',
        '--',
        'node',
        '-e',
        'process.stdout.write(require("node:fs").readFileSync("/etc/resolv.conf"))',
      );
      expect(text).toContain('search default.svc.cluster.local svc.cluster.local cluster.local');
      expect(text).toContain(
        `nameserver ${await kubectl('get', 'service', 'kube-dns', '-n', 'kube-system', '-o', 'jsonpath={.spec.clusterIP}')}`,
      );
      expect(text).toContain('options ndots:5');
    });

    it('lets a pod call the API with the token of its service account', async () => {
      const call = `
      const { readFileSync } = require('node:fs'); const folder = '/var/run/secrets/kubernetes.io/serviceaccount/';
      const options = { ca: readFileSync(folder + 'ca.crt'), headers: { authorization: 'Bearer ' + readFileSync(folder + 'token') } };
      const url = 'https://kubernetes.default.svc/api/v1/namespaces/' + readFileSync(folder + 'namespace') + '/pods';
      return new Promise((done, fail) => require('node:https').get(url, options, (answer) => { let text = ''; answer.on('data', (chunk) => (text += chunk)); answer.on('end', () => done(JSON.parse(text))); }).on('error', fail));`;
      const refused = await inPod<{ message: string }>(call);
      expect(refused.message).toBe(
        'pods is forbidden: User "system:serviceaccount:default:default" cannot list resource "pods" in API group "" in the namespace "default"',
      );
      await kubectl('create', 'role', 'reader', '--verb=list', '--resource=pods');
      await kubectl('create', 'rolebinding', 'reader', '--role=reader', '--serviceaccount=default:default');
      const allowed = await eventually(async () => {
        const list = await inPod<{ kind: string; items: object[] }>(call);
        expect(list.kind).toBe('PodList');
        return list;
      });
      expect(allowed.items).toHaveLength(3);
    });

    it('shows a pod who called it', async () => {
      const [kind = '', name = '', path = ''] = caller;
      const expected = await kubectl('get', kind, ...(name ? [name] : []), '-o', `jsonpath=${path}`);
      expect(await inPod(`return (await fetch('http://echo/')).json();`)).toMatchObject({ from: expected });
    });

    it('lets pods out under the address of the machine, or not at all', async () => {
      const outside = await startOutside();
      try {
        const seen = await inPod(
          `return fetch('${outside.url}', { signal: AbortSignal.timeout(2000) }).then((answer) => answer.text(), () => 'nobody');`,
        );
        expect(seen).toBe(seenOutside);
      } finally {
        outside.close();
      }
    });

    it('follows pods that come and go', async () => {
      await kubectl('scale', 'deployment/echo', '--replicas=1');
      await eventually(async () => {
        const names = await echoNames();
        expect(names).toHaveLength(1);
        expect(await namesFromPod('http://echo/', 20)).toEqual(names);
      });
      await kubectl('scale', 'deployment/echo', '--replicas=3');
      await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
      await eventually(async () => expect(await namesFromPod('http://echo/', 40)).toEqual(await echoNames()));
      await kubectl('delete', 'service', 'echo');
      expect(
        await inPod(
          `return require('node:dns/promises').resolve4('echo.default.svc.cluster.local').catch((error) => error.code);`,
        ),
      ).toBe('ENOTFOUND');
    });
  });

function askByUdp(port: number, text: string): Promise<string> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.close();
      reject(new Error(`nobody answers on UDP port ${port}`));
    }, 5_000);
    socket.on('message', (answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer.toString());
    });
    socket.send(text, port, '127.0.0.1');
  });
}
