import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { connect as connectPlain } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionOf, readKubeconfigs } from '../src/client/kubeconfig-file.ts';
import type { Connection } from '../src/client/connection.ts';
import { heapOf, inspectable } from './support/heap-of.ts';
import { makeWorkplace, type Workplace } from './support/kanoe.ts';
import { describeWith } from './support/needs.ts';

const requests = 10_000;
const connections = 16;
/** After so many of them everything that is compiled once is compiled. */
const warmUp = 5_000;
/**
 * What may remain of the others, in bytes: five minutes of the history of what was written and deleted, in the heap about 1.6 KB
 * a request, and the pages of the store's file that were touched.
 */
const heapGrowth = 24 << 20;
const residentGrowth = 160 << 20;

const bodies: readonly object[] = [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'm-' }, data: { a: 'b' } },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'm-', labels: { a: 'b' } },
    spec: {
      containers: [
        { name: 'a', image: 'b', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '1' } } },
      ],
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { generateName: 'm-' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'b' }] } },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { generateName: 'm-' },
    spec: { ports: [{ port: 80 }], selector: { a: 'b' } },
  },
  [{ op: 'replace', path: '/metadata/labels/a~1b', value: { a: [1, null] } }],
  {
    metadata: { labels: { $patch: 'delete' }, $setElementOrder: [1] },
    spec: { containers: [{ $patch: 'replace' }] },
  },
];

const paths: readonly string[] = [
  '/api/v1/namespaces/default/configmaps',
  '/api/v1/namespaces/default/configmaps/kube-root-ca.crt?fieldManager=x',
  '/api/v1/namespaces/default/pods?limit=2&labelSelector=a%3Db&fieldSelector=spec.nodeName%3D',
  '/api/v1/pods?watch=1&timeoutSeconds=1&resourceVersion=1&allowWatchBookmarks=true',
  '/apis/apps/v1/namespaces/default/deployments?dryRun=All&fieldValidation=Strict',
  '/apis/apps/v1/namespaces/default/deployments/x/scale',
  '/api/v1/namespaces/default/services/kubernetes/status',
  '/api/v1/namespaces/default/pods/x/log?container=a&tailLines=1',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ&limit=1',
  '/openapi/v2',
  '/openapi/v3/apis/apps/v1',
  '/apis',
];

/** To what Kubernetes, too, answers 500: a version that is no number, and patches that fit no schema. */
const upstreams = /strconv\.ParseUint|failed to create typed patch object|unknown patch type: /;

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;

const mediaTypes = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/cbor',
  'text/plain; charset=\u00ff',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  '',
] as const;

const rootCa = '/api/v1/namespaces/default/configmaps/kube-root-ca.crt';

/** Requests that would be well but for what is changed in their bodies: method, path, media type, body. */
const fitting: readonly (readonly [string, string, string, object | undefined])[] = [
  ['POST', '/api/v1/namespaces/default/configmaps', 'application/json', bodies[0]],
  ['POST', '/api/v1/namespaces/default/pods', 'application/json', bodies[1]],
  ['POST', '/api/v1/namespaces/default/pods', 'application/yaml', bodies[1]],
  ['POST', '/apis/apps/v1/namespaces/default/deployments', 'application/json', bodies[2]],
  ['POST', '/api/v1/namespaces/default/services', 'application/yaml', bodies[3]],
  ['PATCH', rootCa, 'application/json-patch+json', bodies[4]],
  ['PATCH', rootCa, 'application/merge-patch+json', bodies[5]],
  ['PATCH', '/api/v1/namespaces/default', 'application/strategic-merge-patch+json', bodies[5]],
  [
    'PATCH',
    '/api/v1/namespaces/default/configmaps/applied?fieldManager=x&force=true',
    'application/apply-patch+yaml',
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { labels: { a: 'b' } }, data: { a: 'b', c: null } },
  ],
];

/** Numbers from 0 up to 1 that are the same in every run (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Random = () => number;

function pick<T>(random: Random, list: readonly [T, ...T[]] | readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** Bytes with up to three changes: flipped, cut out, doubled, or nonsense put in. */
function mutate(random: Random, bytes: Buffer): Buffer {
  let result = bytes;
  for (let changes = Math.floor(random() * 4); changes > 0; changes -= 1) {
    const at = Math.floor(random() * result.length);
    const until = Math.min(result.length, at + Math.floor(random() * 12));
    const nonsense = pick(random, [
      Buffer.from([Math.floor(random() * 256)]),
      Buffer.from('null'),
      Buffer.from('99999999999999999999'),
      Buffer.from('-1e400'),
      Buffer.from('"__proto__":{"a":1},'),
      Buffer.from('['.repeat(2_000)),
      Buffer.from('{"a":'.repeat(500)),
      Buffer.from('\\ud800'),
      Buffer.from('%00%ff../'),
    ]);
    const middle = pick(random, [
      Buffer.alloc(0),
      Buffer.concat([result.subarray(at, until), result.subarray(at, until)]),
      nonsense,
    ]);
    result = Buffer.concat([result.subarray(0, at), middle, result.subarray(until)]);
  }
  return result;
}

/** What HTTP itself can carry in a request line. */
function printable(text: string): string {
  return text.replaceAll(/[^!-~]/g, '_');
}

describeWith({ root: true }, 'hostile clients', () => {
  let place: Workplace;
  let connection: Connection;
  let agent: Agent;
  let pid: number;
  const unexpected = new Set<string>();
  let address: { readonly host: string; readonly port: number };
  beforeAll(async () => {
    place = await makeWorkplace({ env: inspectable });
    await place.up(['--nodes', '0']);
    connection = await connectionOf(await readKubeconfigs([place.kubeconfig]));
    agent = new Agent({
      keepAlive: true,
      maxSockets: connections,
      ca: connection.ca,
      cert: connection.cert,
      key: connection.key,
    });
    const { hostname, port } = new URL(connection.server);
    address = { host: hostname, port: Number(port) };
    pid = Number(place.record().process?.pid);
  });
  afterAll(async () => {
    agent.destroy();
    await place.stop();
  });

  const memory = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

  /** Deletes what the requests have made. */
  const clear = async (): Promise<void> => {
    for (const made of ['/api/v1', '/apis/apps/v1']) {
      for (const kind of made === '/api/v1' ? ['configmaps', 'pods', 'services'] : ['deployments'])
        await ask('DELETE', `${made}/namespaces/default/${kind}?gracePeriodSeconds=0`);
    }
  };

  const heap = (): Promise<number> => heapOf(pid, join(place.directory, 'home', 'logs', `${place.name}.log`));

  const ask = (
    method: string,
    path: string,
    options: { type?: string; accept?: string; body?: Buffer } = {},
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          ...address,
          path,
          method,
          agent,
          headers: {
            ...(options.type !== undefined && { 'content-type': options.type }),
            ...(options.accept !== undefined && { accept: options.accept }),
            ...(options.body && { 'content-length': options.body.length }),
          },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            if (response.statusCode === 500) text += chunk.toString();
          });
          response.on('end', () => {
            if (text !== '' && !upstreams.test(text)) unexpected.add(text.slice(0, 400));
            resolve(upstreams.test(text) ? 400 : (response.statusCode ?? 0));
          });
          response.on('error', () => resolve(0));
        },
      );
      outgoing.on('error', reject);
      // A watch whose time limit was mutated away.
      outgoing.setTimeout(1_500, () => {
        resolve(0);
        outgoing.destroy();
      });
      outgoing.end(options.body);
    });

  it(`get no 500 and no crash with ${requests} mutated requests`, { timeout: 300_000 }, async () => {
    const random = randomFrom(20);
    const faults: string[] = [];
    const counts = new Map<number, number>();
    let next = 0;
    let until = warmUp;
    const client = async (): Promise<void> => {
      while (next < until) {
        next += 1;
        const fit = random() < 0.5 ? pick(random, fitting) : undefined;
        const method = fit?.[0] ?? pick(random, methods);
        const path = fit
          ? fit[1]
          : random() < 0.5
            ? pick(random, paths)
            : printable(mutate(random, Buffer.from(pick(random, paths))).toString('latin1'));
        const url = path.startsWith('/') ? path : `/${path}`;
        const body =
          method === 'GET' || method === 'HEAD'
            ? undefined
            : mutate(random, Buffer.from(JSON.stringify(fit?.[3] ?? pick(random, bodies))));
        const type = fit?.[2] ?? pick(random, mediaTypes);
        const accept = (fit ? 'application/json' : pick(random, mediaTypes)).replaceAll('\u00ff', 'x');
        const code = await ask(method === 'HEAD' ? 'GET' : method, url, {
          type,
          accept,
          ...(body && { body }),
        }).catch((error: Error) => {
          faults.push(`${method} ${url}: ${error.message}`);
          return 0;
        });
        counts.set(code, (counts.get(code) ?? 0) + 1);
        if (code >= 500 && code !== 503 && code !== 504)
          faults.push(`${code} ${method} ${url} ${type}: ${body?.toString().slice(0, 300)}`);
      }
    };
    const run = async (upTo: number): Promise<{ readonly heap: number; readonly resident: number }> => {
      until = upTo;
      await Promise.all(Array.from({ length: connections }, client));
      await clear();
      return { heap: await heap(), resident: memory() };
    };
    const before = await run(warmUp);
    const after = await run(requests);
    expect([...unexpected].slice(0, 10)).toEqual([]);
    expect(faults.slice(0, 10)).toEqual([]);
    for (const code of [200, 201, 400, 404, 415, 422]) expect(counts.get(code)).toBeGreaterThan(100);
    expect(after.heap - before.heap).toBeLessThan(heapGrowth);
    expect(after.resident - before.resident).toBeLessThan(residentGrowth);
  });

  it('do no harm with what is no HTTP and no TLS', async () => {
    const random = randomFrom(7);
    const garbage = (size: number): Buffer =>
      Buffer.from(Array.from({ length: size }, () => Math.floor(random() * 256)));
    const attack = (socket: TLSSocket | ReturnType<typeof connectPlain>, bytes: Buffer): Promise<void> =>
      new Promise((resolve) => {
        socket.on('error', () => {});
        socket.on('close', () => resolve());
        socket.resume();
        socket.end(bytes);
        socket.setTimeout(2_000, () => socket.destroy());
      });
    const lines = [
      'GET / HTTP/1.1\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n`,
    ];
    for (let round = 0; round < 50; round += 1) {
      await attack(connectPlain(address.port, address.host), garbage(200));
      const socket = connect({
        ...address,
        rejectUnauthorized: false,
        ALPNProtocols: [pick(random, ['h2', 'http/1.1'])],
      });
      await attack(socket, round < lines.length ? Buffer.from(lines[round] ?? '') : garbage(500));
    }
    expect(await ask('GET', '/readyz')).toBe(200);
    expect(Number(place.record().process?.pid)).toBe(pid);
  });
});
