import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configmaps, nodes } from '../../../api/core/v1.gen.ts';
import { resourceslices } from '../../../api/resource/v1.gen.ts';
import { startTestServer, type TestServer } from '../../../reconcile/test-server.ts';
import { objectApplier, type ApplyOptions } from './object-applier.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startTestServer([]);
});
afterEach(() => server.stop());

const merge: ApplyOptions = {
  patchType: 'application/merge-patch+json',
  subresource: undefined,
  namespace: undefined,
};

const map = (data: object, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'm', ...metadata },
  data,
});

describe('an object that a stage applies', () => {
  it('is made, then changed', async () => {
    const apply = objectApplier(server.client);
    const slice = (generation: number, ...names: string[]): object => ({
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceSlice',
      metadata: { name: 'n-gpu' },
      spec: {
        driver: 'gpu.example.com',
        nodeName: 'n',
        pool: { name: 'n', generation, resourceSliceCount: 1 },
        devices: names.map((name) => ({ name })),
      },
    });
    await apply(slice(1, 'a'), merge);
    await apply(slice(2, 'a', 'b'), merge);
    const { spec } = await server.client.for(resourceslices).get({ name: 'n-gpu' });
    expect([spec.pool.generation, spec.devices?.map(({ name }) => name)]).toEqual([2, ['a', 'b']]);
  });

  it.each<[string, ApplyOptions['patchType'], Record<string, string>]>([
    ['is merged into what is there', 'application/merge-patch+json', { a: '1', b: '2' }],
    ['is applied by the server, if the stage says so', 'application/apply-patch+yaml', { a: '1', b: '2' }],
  ])('%s', async (_, patchType, expected) => {
    const apply = objectApplier(server.client);
    await apply(map({ a: '1' }), { ...merge, namespace: 'default' });
    await apply(map({ b: '2' }, { namespace: 'default' }), { ...merge, patchType });
    const { data } = await server.client.for(configmaps).get({ namespace: 'default', name: 'm' });
    expect(data).toEqual(expected);
  });

  it('may be a part of one that exists', async () => {
    const apply = objectApplier(server.client);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } };
    const status = { ...node, status: { phase: 'Running' } };
    await expect(apply(status, { ...merge, subresource: 'status' })).rejects.toThrow('"n" not found');
    await apply(node, merge);
    await apply(status, { ...merge, subresource: 'status' });
    expect((await server.client.for(nodes).get({ name: 'n' })).status?.phase).toBe('Running');
  });

  it.each<[string, unknown, string]>([
    ['is none', ['a'], 'the template to apply must yield an object with apiVersion and kind'],
    [
      'is of a kind that nobody serves',
      { apiVersion: 'v9', kind: 'Car', metadata: { name: 'c' } },
      'a stage applies a v9 Car, which the server does not serve',
    ],
  ])('fails when it %s', async (_, object, message) => {
    await expect(objectApplier(server.client)(object, merge)).rejects.toThrow(message);
  });
});
