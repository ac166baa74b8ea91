import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Route } from './proxy-configuration.ts';
import { call, startProxyLab } from './proxy-lab.ts';
import { createWorkerIngressProxy } from './worker-ingress-proxy.ts';

let folder: string;
let workerFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-'));
  workerFile = join(folder, 'ingress-worker.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../../../bin/ingress-worker.ts')],
    outfile: workerFile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

it('serves from a thread', async () => {
  const lab = await startProxyLab();
  const backend = await lab.backend((_, outgoing) => outgoing.end('hello'));
  const crashes: unknown[] = [];
  const proxy = createWorkerIngressProxy({ workerFile, onCrash: (error) => crashes.push(error) });
  await proxy.start({ metrics: { address: '127.0.0.1', port: 0 } });
  await proxy.updateUpstreams({
    set: [{ name: 'web', protocol: 'http1', endpoints: [backend] }],
    removed: [],
  });
  const route: Route = {
    name: 'test',
    host: '',
    match: { path: { kind: 'regex', value: '/h.*' } },
    filters: {},
    backends: [{ upstream: 'web', weight: 1 }],
  };
  const listener = { address: '127.0.0.1', scopes: [{ host: '', routes: [route] }] };
  const ports = await proxy.configure({
    listeners: [
      { ...listener, name: 'one', ports: [0] },
      { ...listener, name: 'two', ports: [backend.port] },
    ],
  });
  expect(ports['two']).toMatchObject({ code: 'EADDRINUSE' });
  const { port } = ports['one'] as { port: number };
  expect((await call(port, { path: '/hi' })).text).toBe('hello');
  await proxy.close();
  expect(crashes).toEqual([]);
  await lab.close();
});
