import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  configmaps,
  namespaces,
  pods,
  serviceaccounts,
  type ConfigMap,
  type Pod,
} from '../../api/core/v1.gen.ts';
import { systemClock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { discover } from '../../client/discovery.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { recordHistory } from './record-history.ts';
import { replayHistory } from './replay-history.ts';
import { isResourcePatch, type ResourcePatch } from './resource-patch.ts';
import { snapshotResources } from './snapshot-resources.ts';

let servers: TestServer[] = [];

beforeEach(async () => {
  servers = [await startTestServer([]), await startTestServer([])];
  for (const { client } of servers)
    await client.for(serviceaccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default', namespace: 'default' },
    });
});
afterEach(async () => {
  for (const server of servers) await server.stop();
});

function clients(): readonly [source: Client, copy: Client] {
  const [source, copy] = servers;
  if (!source || !copy) throw new Error('no servers');
  return [source.client, copy.client];
}

/** The changes of `act`, up to the making of a last object. */
async function changesOf(client: Client, act: () => Promise<void>): Promise<readonly ResourcePatch[]> {
  const over = new AbortController();
  setMaxListeners(0, over.signal);
  const changes: ResourcePatch[] = [];
  const last: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'last', namespace: 'default' },
  };
  const recorded = recordHistory(client, snapshotResources(await discover(client.transport)), {
    clock: systemClock,
    signal: over.signal,
    onStarted: () => void act().then(() => client.for(configmaps).create(last)),
    write(document: KubeObject | ResourcePatch) {
      if (!isResourcePatch(document)) return;
      changes.push(document);
      if (document.target.name === 'last') over.abort();
    },
  });
  await recorded;
  return changes;
}

async function replayed(client: Client, changes: readonly ResourcePatch[]): Promise<string[]> {
  const failures: string[] = [];
  await replayHistory(client, changes, {
    clock: systemClock,
    signal: new AbortController().signal,
    speed: Number.POSITIVE_INFINITY,
    onFailure: ({ method, target }, error) =>
      void failures.push(`${method} ${target.name}: ${error instanceof Error ? error.message : ''}`),
  });
  return failures;
}

const pod = (name: string, owner?: KubeObject): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    ...(owner?.metadata.uid !== undefined && {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: owner.metadata.name ?? '', uid: owner.metadata.uid },
      ],
    }),
  },
  spec: { containers: [{ name: 'c', image: 'i' }] },
});
const bindingOf = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Binding',
  metadata: { name, namespace: 'default' },
  target: { kind: 'Node', name: 'n' },
});

describe('a replay', () => {
  it('binds pods where they were bound, and lets them go as they went', async () => {
    const [source, copy] = clients();
    const changes = await changesOf(source, async () => {
      const api = source.for(pods);
      const ref = { namespace: 'default', name: 'p' };
      await api.create(pod('p'));
      await api.createSubresource(ref, 'binding', bindingOf('p'));
      await api.patch(
        ref,
        { status: { phase: 'Running' } },
        { type: 'application/merge-patch+json', subresource: 'status' },
      );
      await api.delete(ref, { gracePeriodSeconds: 20 });
    });
    expect(await replayed(copy, changes)).toEqual([]);
    const [found] = await eventually(copy, pods, ([one]) => one !== undefined);
    expect([
      found?.spec.nodeName,
      found?.status?.phase,
      found?.metadata.deletionGracePeriodSeconds,
      found?.metadata.deletionTimestamp !== undefined,
    ]).toEqual(['n', 'Running', 20, true]);
  });

  it('leads owners to their dependents again', async () => {
    const [source, copy] = clients();
    const changes = await changesOf(source, async () => {
      const owner = await source.for(configmaps).create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'owner', namespace: 'default' },
      });
      await source.for(pods).create(pod('p', owner));
      await source.for(pods).create(pod('q', { ...owner, metadata: { ...owner.metadata, uid: 'unknown' } }));
    });
    expect(await replayed(copy, changes)).toEqual([]);
    const owner = await copy.for(configmaps).get({ namespace: 'default', name: 'owner' });
    const list = await eventually(copy, pods, (all) => all.length === 2);
    const owners = Object.fromEntries(
      list.map(({ metadata }) => [metadata.name, metadata.ownerReferences?.map(({ uid }) => uid)]),
    );
    expect(owners).toEqual({ p: [owner.metadata.uid], q: undefined });
  });

  it('takes away what finalizers hold, namespaces too', async () => {
    const [source, copy] = clients();
    const changes = await changesOf(source, async () => {
      const api = source.for(configmaps);
      const ref = { namespace: 'default', name: 'held' };
      await api.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { ...ref, finalizers: ['example.com/hold'] },
      });
      await api.delete(ref);
      await api.patch(ref, { metadata: { finalizers: null } }, { type: 'application/merge-patch+json' });
      await source
        .for(namespaces)
        .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' }, spec: {} });
      await source.for(namespaces).delete({ name: 'gone' });
      const { version, resource } = namespaces;
      await source.transport.request({
        verb: 'update',
        group: '',
        version,
        resource,
        name: 'gone',
        subresource: 'finalize',
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' }, spec: { finalizers: [] } },
      });
    });
    expect(await replayed(copy, changes)).toEqual([]);
    const left = [
      ...(await copy.for(configmaps).list({ namespace: 'default' })).items,
      ...(await copy.for(namespaces).list()).items,
    ];
    const names = left.map(({ metadata }) => metadata.name);
    expect(names).toContain('last');
    expect(names).not.toContain('held');
    expect(names).not.toContain('gone');
  });
});
