import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from './support/eventually.ts';
import { startKanoe, type Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith } from './support/needs.ts';

const node = { image: 'kanoe.local/node', imagePullPolicy: 'IfNotPresent', name: 'main' } as const;

/** Answers with its name and what it was asked; switches protocols to one that repeats what it hears. */
const echo = `
const name = process.env.ROLE;
const server = require('node:http').createServer((q, r) => {
  r.setHeader('content-type', 'application/json');
  r.end(JSON.stringify({ name, pod: require('node:os').hostname(), url: q.url, headers: q.headers }));
});
server.on('upgrade', (q, socket) => {
  const key = require('node:crypto').createHash('sha1').update(q.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Accept: ' + key + '\\r\\n\\r\\n');
  socket.write(Buffer.concat([Buffer.from([0x81, name.length]), Buffer.from(name)]));
  socket.on('error', () => {});
});
server.listen(8080);
process.on('SIGTERM', () => { setTimeout(() => { server.close(); server.closeIdleConnections(); }, 1000); setTimeout(() => process.exit(), 3000); });
`;

function workload(name: string, replicas: number = 1): readonly object[] {
  const labels = { app: name };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: {
        replicas,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            containers: [
              {
                ...node,
                command: ['node', '-e', echo],
                env: [{ name: 'ROLE', value: name }],
                ports: [{ name: 'http', containerPort: 8080 }],
                readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
}

const backend = (name: string): object => ({ service: { name, port: { name: 'http' } } });

function rule(host: string, path: string, name: string): object {
  return { host, http: { paths: [{ path, pathType: 'Prefix', backend: backend(name) }] } };
}

function ingress(name: string, spec: object): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name }, spec };
}

interface Asked {
  readonly status: number;
  readonly name?: string;
  readonly url?: string;
  readonly headers: Record<string, unknown>;
  readonly subject?: string;
  readonly location?: string;
}

interface Ask {
  readonly path?: string;
  readonly port?: number;
  readonly tls?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Asks the proxy at `address` for `host`. */
function ask(
  address: string,
  host: string,
  { path = '/', port, tls, headers = {} }: Ask = {},
): Promise<Asked> {
  return new Promise((done, fail) => {
    const options = {
      host: address,
      path,
      headers: { host, ...headers },
      agent: false as const,
      timeout: 10_000,
    };
    const outgoing = tls
      ? httpsRequest({ ...options, port: port ?? 443, servername: host, rejectUnauthorized: false })
      : httpRequest({ ...options, port: port ?? 80 });
    let subject: string | undefined;
    outgoing.on('error', fail);
    outgoing.on('socket', (socket) => {
      socket.on('secureConnect', () => {
        if ('getPeerCertificate' in socket)
          subject = (socket as { getPeerCertificate(): { subject?: { CN: string } } }).getPeerCertificate()
            .subject?.CN;
      });
    });
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      incoming.on('error', fail);
      incoming.on('end', () => {
        const { location } = incoming.headers;
        done({
          status: incoming.statusCode ?? 0,
          headers: {},
          ...(subject !== undefined && { subject }),
          ...(location !== undefined && { location }),
          ...(text.startsWith('{') ? (JSON.parse(text) as object) : {}),
        });
      });
    });
    outgoing.end();
  });
}

describeWith({ root: true, kubectl: true }, 'Ingress and Gateway API', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;
  let address: string;

  async function tlsSecret(name: string, host: string): Promise<void> {
    const [key, cert] = ['key', 'crt'].map((end) => join(cluster.directory, `${name}.${end}`));
    const args = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout ${key} -out ${cert}`;
    const names = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
    await promisify(execFile)('openssl', [...args.split(' '), ...names]);
    await kubectl('create', 'secret', 'tls', name, `--cert=${cert}`, `--key=${key}`);
  }

  beforeAll(async () => {
    cluster = await startKanoe();
    kubectl = cluster.kubectl();
    await tlsSecret('shop-tls', 'shop.example');
    await tlsSecret('star-tls', '*.star.example');
    await kubectl.apply([
      ...workload('shop', 2),
      ...workload('api'),
      ingress('shop', {
        tls: [
          { hosts: ['shop.example'], secretName: 'shop-tls' },
          { hosts: ['*.star.example'], secretName: 'star-tls' },
        ],
        rules: [
          rule('shop.example', '/', 'shop'),
          rule('shop.example', '/api', 'api'),
          rule('*.star.example', '/', 'api'),
        ],
      }),
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'theirs' },
        spec: { controller: 'example.com/theirs' },
      },
      ingress('theirs', { ingressClassName: 'theirs', rules: [rule('theirs.example', '/', 'shop')] }),
    ]);
    for (const name of ['shop', 'api'])
      await kubectl('rollout', 'status', `deployment/${name}`, '--timeout=60s');
    address = await eventually(async () => {
      const path = 'jsonpath={.status.loadBalancer.ingress[0].ip}';
      const found = await kubectl('get', 'ingress', 'shop', '-o', path);
      if (found === '') throw new Error('the Ingress has no address');
      return found;
    });
    for (const path of ['/', '/api'])
      await eventually(async () => {
        const { status } = await ask(address, 'shop.example', { path });
        if (status !== 200) throw new Error(`${path}: ${status}`);
      });
  });
  afterAll(() => cluster?.stop());

  it('goes by host and path', async () => {
    const names: readonly (readonly [string, string, string | undefined])[] = [
      ['shop.example', '/', 'shop'],
      ['shop.example', '/apis', 'shop'],
      ['shop.example', '/api/x', 'api'],
      ['any.star.example', '/', 'api'],
      ['a.b.star.example', '/', undefined],
      ['theirs.example', '/', undefined],
    ];
    for (const [host, path, name] of names) expect((await ask(address, host, { path })).name).toBe(name);
  });

  it('says where a request came from', async () => {
    const { headers } = await ask(address, 'shop.example', { tls: true });
    expect(headers).toMatchObject({
      host: 'shop.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-port': '443',
    });
  });

  it('shows each host its own certificate', async () => {
    expect((await ask(address, 'shop.example', { tls: true })).subject).toBe('shop.example');
    expect((await ask(address, 'x.star.example', { tls: true })).subject).toBe('*.star.example');
    expect((await ask(address, 'other.example', { tls: true })).subject).toBe(
      'Kanoe Ingress Default Certificate',
    );
  });

  it('is seen with kubectl', async () => {
    const line = (await kubectl('get', 'ingress', 'shop', '--no-headers')).split(/\s{2,}|\s+(?=\d+s)/);
    expect(line.slice(0, 2)).toEqual(['shop', 'kanoe']);
    expect(line.join(' ')).toContain(`${address} 80, 443`);
    const described = await kubectl('describe', 'ingress', 'shop');
    expect(described).toMatch(/TLS:\s+shop-tls terminates shop\.example/);
    expect(described).toContain(`answers at ${address}, ports 80 and 443`);
    expect(await kubectl('get', 'ingress', 'theirs', '-o', 'jsonpath={.status.loadBalancer.ingress}')).toBe(
      '',
    );
  });

  it('answers from pods, and over WebSocket', async () => {
    const code = `require('http').get({ host: '${address}', path: '/api', headers: { host: 'shop.example' } }, (r) => { r.resume(); console.log(r.statusCode); })`;
    expect((await kubectl('exec', 'deployment/api', '--', 'node', '-e', code)).trim()).toBe('200');
    const socket = new WebSocket(`ws://${address}/api`, { headers: { host: 'shop.example' } });
    const heard = await new Promise((done, fail) => {
      socket.on('message', (text: Buffer) => done(text.toString()));
      socket.on('error', fail);
    });
    socket.terminate();
    expect(heard).toBe('api');
  });

  it('refuses resource backends with an event', async () => {
    const resource = { apiGroup: 'example.com', kind: 'Bucket', name: 'icons' };
    await kubectl.apply([ingress('icons', { defaultBackend: { resource } })]);
    await eventually(async () => {
      const events = await kubectl(
        'get',
        'events',
        '--field-selector',
        'involvedObject.name=icons',
        '-o',
        'jsonpath={.items[*].reason}',
      );
      expect(events).toContain('UnsupportedBackend');
    });
    expect((await ask(address, 'nobody.example')).status).toBe(503);
    await kubectl('delete', 'ingress', 'icons');
    await eventually(async () => expect((await ask(address, 'nobody.example')).status).toBe(404));
  });

  it('loses no request in a rolling update', async () => {
    const stopping = new AbortController();
    const failures: unknown[] = [];
    const pods = new Set<unknown>();
    const client = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const answer = await ask(address, 'shop.example').catch((error: unknown) => ({
          status: String(error),
        }));
        if (answer.status === 200 && 'pod' in answer) pods.add(answer.pod);
        else failures.push(answer.status);
      }
    };
    const clients = Promise.all([client(), client()]);
    await kubectl('rollout', 'restart', 'deployment/shop');
    await kubectl('rollout', 'status', 'deployment/shop', '--timeout=60s');
    stopping.abort();
    await clients;
    expect(failures).toEqual([]);
    expect(pods.size).toBeGreaterThanOrEqual(3);
  });

  it('keeps an access log and metrics', async () => {
    const { dataDirectory } = cluster.record();
    const lines = await eventually(() => {
      const text = readFileSync(join(dataDirectory, 'logs/ingress.log'), 'utf8').trim();
      const all = text.split('\n').map((line) => JSON.parse(line) as { route?: string; status: number });
      expect(all.some(({ route, status }) => route === 'Ingress/default/shop' && status === 200)).toBe(true);
      return all;
    });
    expect(lines.length).toBeGreaterThan(5);
    const path = '/api/v1/namespaces/kube-system/services/kanoe-ingress-metrics:metrics/proxy/metrics';
    expect(await kubectl('get', '--raw', path)).toMatch(
      /kanoe_ingress_requests_total\{route="Ingress\/default\/shop",code="200",protocol="HTTP\/1\.1"\} \d+/,
    );
  });

  it('serves Gateways and their routes', async () => {
    const apiVersion = 'gateway.networking.k8s.io/v1';
    await eventually(() => kubectl('get', 'gatewayclass', 'kanoe'));
    await kubectl.apply([
      {
        apiVersion,
        kind: 'Gateway',
        metadata: { name: 'main' },
        spec: {
          gatewayClassName: 'kanoe',
          listeners: [
            { name: 'http', port: 8000, protocol: 'HTTP' },
            {
              name: 'https',
              port: 8443,
              protocol: 'HTTPS',
              hostname: 'shop.example',
              tls: { certificateRefs: [{ name: 'shop-tls' }] },
            },
          ],
        },
      },
      {
        apiVersion,
        kind: 'HTTPRoute',
        metadata: { name: 'shop' },
        spec: {
          parentRefs: [{ name: 'main' }],
          hostnames: ['shop.example'],
          rules: [
            {
              matches: [{ path: { type: 'PathPrefix', value: '/old' } }],
              filters: [
                {
                  type: 'RequestRedirect',
                  requestRedirect: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/new' } },
                },
              ],
            },
            {
              matches: [
                { path: { type: 'PathPrefix', value: '/v1' }, headers: [{ name: 'x-team', value: 'a' }] },
              ],
              filters: [
                {
                  type: 'URLRewrite',
                  urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
                },
                {
                  type: 'RequestHeaderModifier',
                  requestHeaderModifier: { set: [{ name: 'x-by', value: 'gateway' }] },
                },
              ],
              backendRefs: [{ name: 'api', port: 80 }],
            },
            {
              backendRefs: [
                { name: 'shop', port: 80, weight: 3 },
                { name: 'api', port: 80, weight: 1 },
              ],
            },
          ],
        },
      },
    ]);
    await kubectl('wait', '--for=condition=Programmed', 'gateway/main', '--timeout=30s');
    const at = await kubectl('get', 'gateway', 'main', '-o', 'jsonpath={.status.addresses[0].value}');
    await eventually(async () => expect((await ask(at, 'shop.example', { port: 8000 })).status).toBe(200));
    const names: (string | undefined)[] = [];
    for (let round = 0; round < 8; round += 1)
      names.push((await ask(at, 'shop.example', { port: 8000 })).name);
    expect(names.filter((name) => name === 'api')).toHaveLength(2);
    expect(await ask(at, 'shop.example', { port: 8000, path: '/old/x' })).toMatchObject({
      status: 302,
      location: 'http://shop.example:8000/new/x',
    });
    expect(
      await ask(at, 'shop.example', { port: 8000, path: '/v1/x', headers: { 'x-team': 'a' } }),
    ).toMatchObject({
      name: 'api',
      url: '/x',
      headers: { 'x-by': 'gateway' },
    });
    expect(await ask(at, 'shop.example', { port: 8443, tls: true })).toMatchObject({
      status: 200,
      subject: 'shop.example',
    });
    const conditions = '{range .status.parents[0].conditions[*]}{.type}={.status};{end}';
    expect(await kubectl('get', 'httproute', 'shop', '-o', `jsonpath=${conditions}`)).toBe(
      'Accepted=True;ResolvedRefs=True;',
    );
    await kubectl('delete', 'gateway', 'main');
    await eventually(async () => {
      expect(await kubectl('get', 'services', '-o', 'name')).not.toContain('main-kanoe');
      expect(await kubectl('get', 'httproute', 'shop', '-o', 'jsonpath={.status.parents}')).toBe('[]');
    });
  });

  it('is there again after a restart', async () => {
    await cluster.down();
    await cluster.up();
    await kubectl('rollout', 'status', 'deployment/api', '--timeout=60s');
    await eventually(async () =>
      expect((await ask(address, 'shop.example', { path: '/api' })).name).toBe('api'),
    );
  });
});

describeWith({ root: true, kubectl: true }, 'Ingress with the process runtime', () => {
  let cluster: Workplace;
  beforeAll(async () => {
    cluster = await startKanoe(['--runtime', 'process']);
  });
  afterAll(() => cluster?.stop());

  it('answers on a port of 127.0.0.1, and says which', async () => {
    const kubectl = cluster.kubectl();
    await kubectl.apply([
      ...workload('shop'),
      ingress('shop', { rules: [rule('shop.example', '/', 'shop')] }),
    ]);
    await kubectl('rollout', 'status', 'deployment/shop', '--timeout=60s');
    const [ip, port] = await eventually(async () => {
      const path = '{.status.loadBalancer.ingress[0].ip} {.status.loadBalancer.ingress[0].ports[0].port}';
      const found = (await kubectl('get', 'ingress', 'shop', '-o', `jsonpath=${path}`)).split(' ');
      expect(found).toEqual(['127.0.0.1', expect.stringMatching(/^\d+$/)]);
      return found;
    });
    expect(Number(port)).toBeGreaterThan(1023);
    await eventually(async () =>
      expect((await ask(ip ?? '', 'shop.example', { port: Number(port) })).name).toBe('shop'),
    );
    expect(await cluster.mustKanoe(['status'])).toContain(`http://127.0.0.1:${port}`);
  });
});
