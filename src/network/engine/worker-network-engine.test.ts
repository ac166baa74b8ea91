import { Resolver } from 'node:dns/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildWorker, type BuiltWorker } from '../testing/build-worker.ts';
import { createWorkerNetworkEngine } from './worker-network-engine.ts';

let worker: BuiltWorker;
beforeAll(async () => {
  worker = await buildWorker('network-worker');
});
afterAll(async () => {
  await worker.remove();
});

it('serves DNS from a thread', async () => {
  const crashes: unknown[] = [];
  const engine = createWorkerNetworkEngine({
    workerFile: worker.file,
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
  const engine = createWorkerNetworkEngine({
    workerFile: worker.file,
    onConflict: () => {},
    onCrash: () => {},
  });
  const configuration = { port: 0, domain: 'cluster.local', ranges: [], resolvConf: '/dev/null' };
  await expect(engine.startDns({ ...configuration, address: '192.0.2.99' })).rejects.toThrow('EADDRNOTAVAIL');
  await engine.close();
});
