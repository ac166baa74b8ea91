import { Resolver } from 'node:dns/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorkerNetworkEngine } from './worker-network-engine.ts';

let folder: string;
let workerFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'worker-'));
  workerFile = join(folder, 'network-worker.cjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../../bin/network-worker.ts')],
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

it('serves DNS from a thread', async () => {
  const crashes: unknown[] = [];
  const engine = createWorkerNetworkEngine({
    workerFile,
    onConflict: () => {},
    onCrash: (error) => crashes.push(error),
  });
  const port = await engine.startDns({
    address: '127.0.0.1',
    port: 0,
    domain: 'cluster.local',
    ranges: ['10.96.0.0/16'],
    resolvConf: '/dev/null',
  });
  await engine.updateDns({
    set: [{ kind: 'clusterIP', namespace: 'default', name: 'web', addresses: ['10.96.0.20'], ports: [] }],
    removed: [],
  });
  const resolver = new Resolver();
  resolver.setServers([`127.0.0.1:${port}`]);
  expect(await resolver.resolve4('web.default.svc.cluster.local')).toEqual(['10.96.0.20']);
  await engine.updateDns({ set: [], removed: [{ namespace: 'default', name: 'web' }] });
  await expect(resolver.resolve4('web.default.svc.cluster.local')).rejects.toMatchObject({
    code: 'ENOTFOUND',
  });
  await engine.close();
  expect(crashes).toEqual([]);
});

it('hands on why something could not be done', async () => {
  const engine = createWorkerNetworkEngine({ workerFile, onConflict: () => {}, onCrash: () => {} });
  const configuration = { port: 0, domain: 'cluster.local', ranges: [], resolvConf: '/dev/null' };
  await expect(engine.startDns({ ...configuration, address: '192.0.2.99' })).rejects.toThrow('EADDRNOTAVAIL');
  await engine.close();
});
