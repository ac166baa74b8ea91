import { describe, expect, it } from 'vitest';
import { persistentvolumeclaims, pods, serviceaccounts, type Pod } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer } from '../../reconcile/test-server.ts';
import { claimProtectionController } from './claim-protection.ts';
import { planFinalizers } from './protect.ts';

describe('finalizers', () => {
  const own = 'kubernetes.io/pv-protection';
  const meta = { name: 'v', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
  const base = { apiVersion: 'v1', kind: 'PersistentVolume' };
  const deletionTimestamp = '2026-01-02T00:00:00Z';
  it.each([
    ['missing', meta, false, [own]],
    ['there', { ...meta, finalizers: [own] }, false, undefined],
    ['deleted and used', { ...meta, finalizers: [own], deletionTimestamp }, true, undefined],
    ['deleted and free', { ...meta, finalizers: ['a/b', own], deletionTimestamp }, false, ['a/b']],
  ])('%s', (_name, metadata, used, finalizers) => {
    expect(planFinalizers({ ...base, metadata }, own, () => used)).toEqual(finalizers);
  });
});

describe('a claim', () => {
  it('stays until the pod that uses it is gone', async () => {
    const server = await startTestServer([claimProtectionController]);
    await server.client.for(serviceaccounts).create({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: 'default', name: 'default' },
    });
    const claims = server.client.for(persistentvolumeclaims);
    const ref = { namespace: 'default', name: 'data' };
    const made = await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: ref,
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    expect(made.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'default', name: 'user' },
      spec: {
        nodeName: 'n1',
        containers: [{ name: 'c', image: 'nginx' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      },
    };
    await server.client.for(pods).create(pod);
    await claims.delete(ref);
    expect((await claims.get(ref)).metadata.deletionTimestamp).toBeDefined();
    await server.client.for(pods).delete({ namespace: 'default', name: 'user' }, { gracePeriodSeconds: 0 });
    await eventually(server.client, persistentvolumeclaims, (left) => left.length === 0);
    await server.stop();
  });
});
