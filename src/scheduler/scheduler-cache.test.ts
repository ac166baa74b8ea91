import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { podInfo } from './pod-info.ts';
import { SchedulerCache } from './scheduler-cache.ts';

const creationTimestamp = '2026-01-01T00:00:00Z';

function node(name: string, labels: Readonly<Record<string, string>> = {}): Live<Node> {
  const metadata = { name, uid: name, resourceVersion: '1', creationTimestamp, labels };
  const status = {
    allocatable: { cpu: '4', memory: '8Gi', pods: '110' },
    images: [{ names: ['example.com/i:1'], sizeBytes: 5 }],
  };
  return { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status };
}

function pod(name: string): Live<Pod> {
  const metadata = { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      containers: [
        {
          name: 'c',
          resources: { requests: { cpu: '1', 'example.com/gpu': '2' } },
          ports: [{ containerPort: 1, hostPort: 80 }],
        },
      ],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
  };
}

function account(cache: SchedulerCache, name: string): unknown {
  const info = cache.node(name);
  return (
    info && {
      pods: [...info.pods.keys()],
      cpu: info.requested.milliCpu,
      gpus: info.requested.scalars.get('example.com/gpu') ?? 0,
      port: info.usedPorts.conflicts({ ip: '0.0.0.0', protocol: 'TCP', port: 80 }),
      claims: cache.claimUses('default/data'),
      assumed: cache.isAssumed('p'),
    }
  );
}

const idle = { pods: [], cpu: 0, gpus: 0, port: false, claims: 0, assumed: false };
const taken = { pods: ['p'], cpu: 1000, gpus: 2, port: true, claims: 1, assumed: false };

describe('SchedulerCache', () => {
  it('accounts for a pod once, assumed first and confirmed later', () => {
    const cache = new SchedulerCache(() => ({}));
    cache.setNode(node('a'));
    cache.assume(podInfo(pod('p')), 'a');
    expect(account(cache, 'a')).toEqual({ ...taken, assumed: true });
    cache.confirm(pod('p'), 'a');
    expect(account(cache, 'a')).toEqual(taken);
    cache.remove('p');
    expect(account(cache, 'a')).toEqual(idle);
  });

  it('moves a pod that turns out to be on another node', () => {
    const cache = new SchedulerCache(() => ({}));
    cache.setNode(node('a'));
    cache.setNode(node('b'));
    cache.assume(podInfo(pod('p')), 'a');
    cache.confirm(pod('p'), 'b');
    expect([account(cache, 'a'), account(cache, 'b')]).toEqual([{ ...idle, claims: 1 }, taken]);
  });

  it('remembers pods of a node that is not there yet, or no more', () => {
    const cache = new SchedulerCache(() => ({}));
    cache.confirm(pod('p'), 'a');
    expect([cache.nodes, account(cache, 'a')]).toEqual([[], undefined]);
    cache.setNode(node('a'));
    expect(account(cache, 'a')).toEqual(taken);
    cache.removeNode('a');
    expect(cache.nodesWithImage('example.com/i:1')).toBe(0);
    cache.setNode(node('a'));
    expect([account(cache, 'a'), cache.nodesWithImage('example.com/i:1')]).toEqual([taken, 1]);
  });

  it('lists nodes zone by zone in turn', () => {
    const cache = new SchedulerCache(() => ({}));
    const zone = (name: string): Record<string, string> => ({ 'topology.kubernetes.io/zone': name });
    for (const [name, where] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['a3', 'a'],
      ['b1', 'b'],
      ['c1', 'c'],
    ] as const)
      cache.setNode(node(name, zone(where)));
    expect(cache.nodes.map(({ name }) => name)).toEqual(['a1', 'b1', 'c1', 'a2', 'a3']);
  });
});
