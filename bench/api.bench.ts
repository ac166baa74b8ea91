import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { builtinResources } from '../src/api/catalog.ts';
import { systemClock } from '../src/base/clock.ts';
import { ensurePki, type Pki } from '../src/cluster/pki.ts';
import { kubernetesSchema } from '../src/machinery/schema/table.ts';
import { createApiServer, type ApiServer } from '../src/server/api-server.ts';
import { openLmdbStore } from '../src/storage/lmdb/lmdb-store.ts';
import type { BenchRow } from './bench-row.ts';

export const name = 'api';

const CONNECTIONS = 32;
const PODS = 1_000;
const PASSES = 3;

/** Sends one request and resolves to its body. Rejects for any answer but a success. */
type Send = (method: string, path: string, body?: Buffer) => Promise<Buffer>;

/**
 * Durable creations of pods, reads of one and lists of a thousand a second over HTTPS with 32 connections, beside a bare
 * `node:https` server that answers the same bytes and, for creations, durable LMDB commits of them, in the same run.
 */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'kanoe-bench-'));
  const names = { dns: ['localhost'], ips: ['127.0.0.1'] };
  const pki = await ensurePki(join(directory, 'pki'), names, systemClock);
  const store = await openLmdbStore({ directory: join(directory, 'store'), clock: systemClock });
  const server = await startServer(store, pki);
  const echo = await startEcho(pki);
  const commits = open<Buffer, string>({
    path: join(directory, 'bare.mdb'),
    encoding: 'binary',
    overlappingSync: false,
  });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ca: pki.ca.cert, ...pki.admin });
  try {
    const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
    const send = sender(agent, port);
    const bare = sender(agent, echo.port);
    await send('POST', `${core}/namespaces/default/serviceaccounts`, account);
    const example = await send('POST', pods, podBody('example'));

    echo.answer(example);
    const creations = await best([
      { count: PODS, once: (at) => bare('POST', pods, podBody(`pod-${at}`)) },
      {
        count: PODS,
        async once(at) {
          await commits.put(at, example);
          await commits.flushed;
        },
      },
      { count: PODS, once: (at) => send('POST', pods, podBody(`pod-${at}`)) },
    ]);
    report(row('durable creates of a pod beside node:https', creations[2], creations[0]));
    report(row('durable creates of a pod beside LMDB commits', creations[2], creations[1]));

    for (const { what, path, count } of [
      { what: 'GETs of a pod beside node:https', path: `${pods}/example`, count: 4_000 },
      { what: `LISTs of ${PODS} pods beside node:https`, path: `${pods}?limit=${PODS}`, count: 32 },
    ]) {
      echo.answer(await send('GET', path));
      const [limit, value] = await best([
        { count, once: () => bare('GET', path) },
        { count, once: () => send('GET', path) },
      ]);
      report(row(what, value, limit));
    }
  } finally {
    agent.destroy();
    echo.close();
    await server.close();
    await store.close();
    await commits.close();
    await rm(directory, { recursive: true });
  }
}

const core = '/api/v1';
const pods = `${core}/namespaces/default/pods`;
const account = Buffer.from(
  JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }),
);

function podBody(podName: string): Buffer {
  const container = {
    name: 'main',
    image: 'registry.example.com/app:1.2',
    env: [{ name: 'MODE', value: 'production' }],
    ports: [{ containerPort: 8080 }],
    resources: { requests: { cpu: '100m', memory: '64Mi' } },
  };
  const metadata = { name: podName, labels: { app: 'web', tier: 'front' } };
  return Buffer.from(
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container] } }),
  );
}

interface Load {
  readonly count: number;
  /** Sends one; `at` differs with every call. */
  once(at: string): Promise<unknown>;
}

/** The most a second that each load reached. Loads alternate, so that what else the machine does hits all alike. */
async function best(loads: readonly Load[]): Promise<number[]> {
  const figures = loads.map(() => 0);
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const [index, { count, once }] of loads.entries()) {
      const start = systemClock.monotonic();
      let next = 0;
      await Promise.all(
        Array.from({ length: CONNECTIONS }, async () => {
          while (next < count) await once(`${pass}-${next++}`);
        }),
      );
      const perSecond = (count * 1_000) / (systemClock.monotonic() - start);
      figures[index] = Math.max(figures[index] ?? 0, perSecond);
    }
  }
  return figures;
}

function row(what: string, value = 0, limit = 0): BenchRow {
  return { what, value: Math.round(value), unit: '1/s', limit: Math.round(limit) };
}

function startServer(store: Awaited<ReturnType<typeof openLmdbStore>>, pki: Pki): Promise<ApiServer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createApiServer({
    store,
    schema: kubernetesSchema(),
    clock: systemClock,
    resources: (needs) => builtinResources({ ...needs, serviceCidr: '10.96.0.0/16' }),
    tls: { ...pki.server, clientCa: pki.ca.cert },
    serviceAccount: {
      issuer: 'https://kubernetes.default.svc.cluster.local',
      signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
    version: { gitVersion: 'v1.36.2' },
    onFault: (error) => {
      throw error;
    },
  });
}

interface Echo {
  readonly port: number;
  /** What every request is answered with from now on. */
  answer(body: Buffer): void;
  close(): void;
}

async function startEcho(pki: Pki): Promise<Echo> {
  let body = Buffer.alloc(0);
  const tls = { ...pki.server, ca: pki.ca.cert, requestCert: true };
  const server = createServer(tls, (incoming, response) => {
    incoming.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    answer: (next) => (body = Buffer.from(next)),
    close: () => server.close(),
  };
}

function sender(agent: Agent, port: number): Send {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = body && { 'content-type': 'application/json', 'content-length': body.length };
      const outgoing = request({ agent, host: '127.0.0.1', port, method, path, ...(headers && { headers }) });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks);
          const { statusCode = 0 } = response;
          if (statusCode < 300) resolve(answer);
          else reject(new Error(`${method} ${path}: ${statusCode} ${answer.toString()}`));
        });
      });
      outgoing.end(body);
    });
}
