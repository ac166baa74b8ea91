import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pod, PodCondition } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { kubectlsBetween } from './support/kubectl.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { pod, shell } from './support/pods.ts';

const amounts = (requests: object, limits?: object): object => ({
  resources: { requests, ...(limits && { limits }) },
});

describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'resize of running pods', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;

  beforeAll(async () => {
    cluster = await startKanoe(['--load', imageArchive('busybox'), '--kubelet-arg', 'kube-reserved=cpu=0']);
    kubectl = cluster.kubectl(kubectlsBetween(32, 99).at(-1));
  });
  afterAll(() => cluster?.stop());

  const status = async (name: string): Promise<NonNullable<Pod['status']>> =>
    (await kubectl.json<Pod>('get', 'pod', name)).status ?? {};
  const conditionOf = async (name: string, type: string): Promise<PodCondition | undefined> =>
    (await status(name)).conditions?.find((condition) => condition.type === type);
  const ready = (name: string): Promise<string> =>
    kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=40s');
  const resize = (name: string, resources: object): Promise<string> => {
    const patch = JSON.stringify({ spec: { containers: [{ name: 'main', resources }] } });
    return kubectl('patch', 'pod', name, '--subresource', 'resize', '-p', patch);
  };
  const readLimit = (name: string): Promise<string> =>
    kubectl(
      'exec',
      name,
      '--',
      'sh',
      '-c',
      'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 /sys/fs/cgroup/cpu.max',
    );

  it('changes processors in place', async () => {
    const resources = amounts({ cpu: '50m', memory: '16Mi' }, { cpu: '100m', memory: '32Mi' });
    await kubectl.apply([pod('inplace', { containers: [shell('sleep 1000', resources)] })]);
    await ready('inplace');
    expect(await readLimit('inplace')).toBe('10000\n');
    await resize('inplace', { requests: { cpu: '60m' }, limits: { cpu: '300m' } });
    await eventually(async () => {
      const [main] = (await status('inplace')).containerStatuses ?? [];
      expect(main?.resources).toEqual({
        requests: { cpu: '60m', memory: '16Mi' },
        limits: { cpu: '300m', memory: '32Mi' },
      });
      expect(main?.allocatedResources).toEqual({ cpu: '60m', memory: '16Mi' });
      expect(main?.restartCount).toBe(0);
    });
    expect(await readLimit('inplace')).toBe('30000\n');
    expect(await conditionOf('inplace', 'PodResizeInProgress')).toBeUndefined();
  });

  it('restarts a container whose policy says so', async () => {
    const resizePolicy = [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }];
    const resources = amounts({ memory: '16Mi' }, { memory: '32Mi' });
    await kubectl.apply([
      pod('restarted', { containers: [shell('sleep 1000', { resizePolicy, ...resources })] }),
    ]);
    await ready('restarted');
    await resize('restarted', { requests: { memory: '24Mi' }, limits: { memory: '64Mi' } });
    await eventually(async () => {
      const [main] = (await status('restarted')).containerStatuses ?? [];
      expect(main).toMatchObject({ restartCount: 1, resources: { limits: { memory: '64Mi' } } });
    });
  });

  it('changes the pod as a whole', async () => {
    const resources = { requests: { memory: '16Mi' }, limits: { memory: '32Mi' } };
    await kubectl.apply([pod('whole', { resources, containers: [shell('sleep 1000')] })]);
    await ready('whole');
    const patch = { spec: { resources: { requests: { memory: '16Mi' }, limits: { memory: '48Mi' } } } };
    await kubectl('patch', 'pod', 'whole', '--subresource', 'resize', '-p', JSON.stringify(patch));
    await eventually(async () => {
      const limit = await kubectl(
        'exec',
        'whole',
        '--',
        'sh',
        '-c',
        'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max',
      );
      expect(limit).toBe(`${48 * 1024 * 1024}\n`);
      expect((await status('whole')).resources?.limits).toEqual({ memory: '48Mi' });
    });
  });

  it('defers what there is no room for until there is', async () => {
    const { allocatable } = (
      await kubectl.json<{ status: { allocatable: { cpu: string } } }>('get', 'node', cluster.name)
    ).status;
    const cores = Number(allocatable.cpu);
    const most = Math.floor(cores * 1000);
    await kubectl.apply([
      pod('big', { containers: [shell('sleep 1000', amounts({ cpu: `${Math.floor(most / 2)}m` }))] }),
      pod('waits', { containers: [shell('sleep 1000', amounts({ cpu: '10m' }))] }),
    ]);
    await Promise.all([ready('big'), ready('waits')]);
    await resize('waits', { requests: { cpu: `${Math.floor(most * 0.6)}m` } });
    await eventually(async () => {
      const condition = await conditionOf('waits', 'PodResizePending');
      expect(condition).toMatchObject({ status: 'True', reason: 'Deferred' });
      expect(condition?.message).toContain("Node didn't have enough resource: cpu, requested: ");
    });
    const [before] = (await status('waits')).containerStatuses ?? [];
    expect(before?.allocatedResources).toEqual({ cpu: '10m' });
    await kubectl('delete', 'pod', 'big', '--now');
    await eventually(async () => {
      expect(await conditionOf('waits', 'PodResizePending')).toBeUndefined();
      const [after] = (await status('waits')).containerStatuses ?? [];
      expect(after?.allocatedResources).not.toEqual({ cpu: '10m' });
    });
  });

  it('does not lower a memory limit below what is in use', async () => {
    const resources = amounts({ memory: '16Mi' }, { memory: '128Mi' });
    const script = 'head -c 50000000 /dev/zero > /dev/shm/x; sleep 1000';
    await kubectl.apply([pod('full', { containers: [shell(script, resources)] })]);
    await ready('full');
    await eventually(async () =>
      expect(Number(await kubectl('exec', 'full', '--', 'stat', '-c', '%s', '/dev/shm/x'))).toBe(50_000_000),
    );
    await resize('full', { limits: { memory: '20Mi' } });
    await eventually(async () => {
      const condition = await conditionOf('full', 'PodResizeInProgress');
      expect(condition).toMatchObject({ status: 'True', reason: 'Error' });
      expect(condition?.message).toContain('cannot decrease memory limits: ');
    });
    const [main] = (await status('full')).containerStatuses ?? [];
    expect(main).toMatchObject({ restartCount: 0, resources: { limits: { memory: '128Mi' } } });
  });

  it('remembers what it granted when the agent starts anew', async () => {
    const { process: running } = cluster.record();
    if (running) process.kill(running.pid, 'SIGKILL');
    await cluster.up(['--load', imageArchive('busybox')]);
    await eventually(async () => {
      const [main] = (await status('inplace')).containerStatuses ?? [];
      expect(main).toMatchObject({ restartCount: 0, resources: { limits: { cpu: '300m' } } });
    });
    expect(await readLimit('inplace')).toBe('30000\n');
  });
});
