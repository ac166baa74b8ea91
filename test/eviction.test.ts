import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Node, Pod } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { makeWorkplace } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { pod, shell } from './support/pods.ts';

const settings = (...pairs: readonly string[]): readonly string[] => [
  '--load',
  imageArchive('busybox'),
  ...pairs.flatMap((pair) => ['--kubelet-arg', pair]),
];

describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'a node in need', () => {
  let cluster: Workplace;
  beforeAll(async () => {
    cluster = await makeWorkplace();
  });
  afterEach(() => cluster?.down());
  afterAll(() => cluster?.stop());

  const status = async (name: string): Promise<NonNullable<Pod['status']>> =>
    (await cluster.kubectl().json<Pod>('get', 'pod', name)).status ?? {};
  const evicted = (name: string): Promise<NonNullable<Pod['status']>> =>
    eventually(async () => {
      const found = await status(name);
      expect(found).toMatchObject({ phase: 'Failed', reason: 'Evicted' });
      return found;
    }, 60_000);

  describe('of disk or memory', () => {
    it('evicts who takes more than asked for, says so, and takes no more pods', async () => {
      await cluster.up(settings('eviction-hard=memory.available<1Ki'));
      const kubectl = cluster.kubectl();
      const modest = { resources: { requests: { memory: '64Mi' } } };
      await kubectl.apply([
        pod('modest', { containers: [shell('sleep 1000', modest)] }),
        pod('greedy', { containers: [shell('sleep 1000')] }),
      ]);
      await kubectl('wait', 'pod/modest', 'pod/greedy', '--for=condition=Ready', '--timeout=40s');
      await cluster.down();
      await cluster.up(
        settings('eviction-hard=memory.available<100%', 'eviction-pressure-transition-period=1m'),
      );
      await eventually(async () => {
        const node = await kubectl.json<Node>('get', 'node', cluster.name);
        const pressure = node.status?.conditions?.find(({ type }) => type === 'MemoryPressure');
        expect(pressure).toMatchObject({ status: 'True', reason: 'KubeletHasInsufficientMemory' });
        expect(node.spec.taints?.map(({ key }) => key)).toContain('node.kubernetes.io/memory-pressure');
      }, 60_000);
      const { message, conditions } = await evicted('greedy');
      expect(message).toMatch(/^The node was low on resource: memory\. Threshold quantity: /);
      expect(conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
        status: 'True',
        reason: 'TerminationByKubelet',
      });
      const late = pod('late', { nodeName: cluster.name, containers: [shell('true')] });
      await kubectl.apply([late]);
      expect((await evicted('late')).message).toBe(
        'Pod was rejected: The node had condition: [MemoryPressure]. ',
      );
    });
  });

  it('evicts a pod that stores more than it may, and sets logs aside that are full', async () => {
    await cluster.up(settings('container-log-max-size=4Ki', 'container-log-max-files=3'));
    const kubectl = cluster.kubectl();
    const limits = { resources: { limits: { 'ephemeral-storage': '1Mi' } } };
    await kubectl.apply([
      pod('stores', { containers: [shell('head -c 3000000 /dev/zero > /f; sleep 1000', limits)] }),
      pod('talks', {
        containers: [shell('for n in 1 2 3 4 5 6; do seq 1 1500; sleep 1.1; done; sleep 1000')],
      }),
    ]);
    expect((await evicted('stores')).message).toBe(
      'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
    );
    const logs = join(cluster.record().dataDirectory, 'nodes/1/logs');
    const folder = readdirSync(logs).find((name) => name.startsWith('default_talks_')) ?? '';
    await eventually(() => expect(readdirSync(join(logs, folder, 'main'))).toHaveLength(3));
  });

  it('ends pods by priority when it is shut down, and says why', async () => {
    await cluster.up(settings('shutdown-grace-period=8s', 'shutdown-grace-period-critical-pods=4s'));
    const kubectl = cluster.kubectl();
    const script = 'trap "exit 0" TERM; while true; do sleep 0.1; done';
    await kubectl.apply([
      pod('usual', { containers: [shell(script)] }),
      pod('critical', { priorityClassName: 'system-node-critical', containers: [shell(script)] }),
    ]);
    await kubectl('wait', 'pod/usual', 'pod/critical', '--for=condition=Ready', '--timeout=40s');
    await cluster.down();
    await cluster.up(settings());
    const [usual, critical] = await Promise.all([status('usual'), status('critical')]);
    for (const one of [usual, critical])
      expect(one).toMatchObject({
        phase: 'Failed',
        reason: 'Terminated',
        message: 'Pod was terminated in response to imminent node shutdown.',
      });
    const endOf = ({ containerStatuses }: typeof usual): string =>
      containerStatuses?.[0]?.state?.terminated?.finishedAt ?? '';
    expect(endOf(critical) >= endOf(usual)).toBe(true);
  });
});
