import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtinResources } from '../src/api/catalog.ts';
import { systemClock } from '../src/base/clock.ts';
import { ensurePki, type Pki } from '../src/cluster/pki.ts';
import { kubernetesSchema } from '../src/machinery/schema/table.ts';
import { createApiServer, type ApiServer } from '../src/server/api-server.ts';
import { openLmdbStore } from '../src/storage/lmdb/lmdb-store.ts';
import type { Store } from '../src/storage/kv.ts';
import type { BenchRow } from './bench-row.ts';

export const CONNECTIONS = 32;
const PASSES = 3;

/** Sends one request and resolves to its body. Rejects for any answer but a success. */
export type Send = (method: string, path: string, body?: Buffer, type?: string) => Promise<Buffer>;

/** An API server over a durable store, and a bare `node:https` server beside it, both with the same certificates. */
export interface BenchApiServer {
  readonly server: ApiServer;
  readonly port: number;
  readonly directory: string;
  readonly pki: Pki;
  readonly agent: Agent;
  readonly send: Send;
  /** To the bare server. */
  readonly bare: Send;
  readonly echo: Echo;
  stop(): Promise<void>;
}

/** Starts both; `seed` fills the store before. */
export async function startBenchApiServer(seed?: (store: Store) => Promise<void>): Promise<BenchApiServer> {
  const directory = await mkdtemp(join(tmpdir(), 'kanoe-bench-'));
  const names = { dns: ['localhost'], ips: ['127.0.0.1'] };
  const pki = await ensurePki(join(directory, 'pki'), names, systemClock);
  const store = await openLmdbStore({ directory: join(directory, 'store'), clock: systemClock });
  await seed?.(store);
  const server = await startServer(store, pki);
  const echo = await startEcho(pki);
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, ca: pki.ca.cert, ...pki.admin });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    server,
    port,
    directory,
    pki,
    agent,
    send: sender(agent, port),
    bare: sender(agent, echo.port),
    echo,
    async stop() {
      agent.destroy();
      echo.close();
      await server.close();
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** Something to do many times. */
export interface Load {
  readonly count: number;
  /** Sends one; `at` differs with every call. */
  once(at: string): Promise<unknown>;
}

/** The most a second that each load reached. Loads alternate, so that what else the machine does hits all alike. */
export async function best(loads: readonly Load[]): Promise<number[]> {
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

/** A figure per second. */
export function row(what: string, value = 0, limit = 0): BenchRow {
  return { what, value: Math.round(value), unit: '1/s', limit: Math.round(limit) };
}

function startServer(store: Store, pki: Pki): Promise<ApiServer> {
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

/** Answers everything alike. */
export interface Echo {
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
  return (method, path, body, type = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers = body && { 'content-type': type, 'content-length': body.length };
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
