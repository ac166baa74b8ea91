import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Route } from './proxy-configuration.ts';
import { buildWorker, type BuiltWorker } from '../../testing/build-worker.ts';
import { call, startProxyLab } from './proxy-lab.ts';
import { createWorkerIngressProxy } from './worker-ingress-proxy.ts';

let worker: BuiltWorker;
beforeAll(async () => {
  worker = await buildWorker('ingress-worker');
});
afterAll(async () => {
  await worker.remove();
});

it('serves from a thread', async () => {
  const lab = await startProxyLab();
  const backend = await lab.backend((_, outgoing) => outgoing.end('hello'));
  const crashes: unknown[] = [];
  const proxy = createWorkerIngressProxy({
    workerFile: worker.file,
    onCrash: (error) => crashes.push(error),
  });
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
