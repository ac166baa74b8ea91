import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import { systemClock } from '../src/base/clock.ts';
import { startBenchApiServer, type BenchApiServer } from './bench-api-server.ts';
import { quantile, type BenchRow } from './bench-row.ts';

export const name = 'watches: from a creation to the last of the watchers, over HTTPS';

const ROUNDS = 20;
const configmaps = '/api/v1/namespaces/default/configmaps';

/** A durable creation and its event to 1, 100 and 1,000 watchers, beside a bare `node:https` server that writes the same bytes to as many open answers. */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const api = await startBenchApiServer();
  try {
    for (const watchers of [1, 100, 1_000]) {
      const value = await fanOut(api, watchers);
      const limit = await bareFanOut(api, watchers);
      report({ what: `${watchers.toLocaleString('en')} watchers, p50`, value, unit: 'ms', limit });
    }
  } finally {
    await api.stop();
  }
}

/** Open answers that count what they get. */
interface Readers {
  /** Resolves when each of them has got one more line. */
  next(): Promise<void>;
  close(): void;
}

async function openReaders(agent: Agent, port: number, path: string, count: number): Promise<Readers> {
  let left = 0;
  let done: () => void = () => undefined;
  const requests = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof request>>((resolve, reject) => {
          const outgoing = request({ agent, host: '127.0.0.1', port, path });
          outgoing.on('error', reject);
          outgoing.on('response', (response) => {
            response.on('data', (chunk: Buffer) => {
              if (!chunk.includes(10)) return;
              left -= 1;
              if (left === 0) done();
            });
            resolve(outgoing);
          });
          outgoing.end();
        }),
    ),
  );
  return {
    next() {
      left = count;
      return new Promise((resolve) => (done = resolve));
    },
    close() {
      for (const outgoing of requests) outgoing.on('error', () => undefined).destroy();
    },
  };
}

async function fanOut(api: BenchApiServer, watchers: number): Promise<number> {
  const agent = new Agent({ ...api.agent.options, maxSockets: watchers });
  const path = `${configmaps}?watch=true&resourceVersion=0`;
  const readers = await openReaders(agent, api.port, path, watchers);
  await systemClockTick();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = readers.next();
    const start = systemClock.monotonic();
    void api.send('POST', configmaps, body(`fan-${watchers}-${round}`));
    await all;
    times.push(systemClock.monotonic() - start);
  }
  readers.close();
  agent.destroy();
  await api.send('DELETE', configmaps);
  return quantile(times, 0.5);
}

/** What the watches sent at their start has arrived. */
function systemClockTick(): Promise<void> {
  return new Promise((resolve) => void systemClock.after(200, resolve));
}

async function bareFanOut(api: BenchApiServer, watchers: number): Promise<number> {
  const open = new Set<ServerResponse>();
  const server = createServer(api.pki.server, (_, response) => {
    open.add(response);
    response.writeHead(200);
    response.flushHeaders();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ ...api.agent.options, maxSockets: watchers });
  const readers = await openReaders(agent, port, '/', watchers);
  const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: 'x'.repeat(400) })}\n`);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const all = readers.next();
    const start = systemClock.monotonic();
    for (const response of open) response.write(line);
    await all;
    times.push(systemClock.monotonic() - start);
  }
  readers.close();
  agent.destroy();
  server.close();
  return quantile(times, 0.5);
}

function body(mapName: string): Buffer {
  return Buffer.from(
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: mapName }, data: { a: 'b' } }),
  );
}
