import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/clock.ts';
import type { Pod, PodSpec } from '../api/core/v1.gen.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import { createNodeAgent, type NodeAgent } from './agent.ts';
import { RuntimeError } from './container-runtime.ts';
import { FakeApi } from './testing/fake-api.ts';
import { fakeImages } from './testing/fake-images.ts';
import { FakeRuntime, type FakeProgram } from './testing/fake-runtime.ts';
import { unmountBelow } from './volumes/tmpfs.ts';

const IMAGE = 'registry.test/app:1';
const PATIENCE = { timeout: 15_000, interval: 5 };

let directory: string;
let api: FakeApi;
let agents: NodeAgent[];
let events: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-agent-'));
  api = new FakeApi();
  agents = [];
  events = [];
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  await unmountBelow(directory);
  await rm(directory, { recursive: true, force: true });
});

function recorder(): EventRecorder {
  return {
    record: (_about, type, reason, message) => void events.push(`${type} ${reason}: ${message}`),
    as: () => recorder(),
  };
}

function startAgent(
  program: FakeProgram = {},
  runtime = new FakeRuntime(systemClock, program),
): { agent: NodeAgent; runtime: FakeRuntime } {
  const agent = createNodeAgent({
    nodeName: 'n1',
    client: api.client,
    runtime,
    images: fakeImages({ present: [IMAGE] }),
    clock: systemClock,
    events: recorder(),
    directory,
    clusterDns: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
    kubeletPort: 10250,
    kubeletVersion: 'v1.36.2',
    onError: (error) => void events.push(`ERROR ${error instanceof Error ? error.stack : String(error)}`),
  });
  agents.push(agent);
  agent.start();
  return { agent, runtime };
}

function putPod(spec: Partial<PodSpec>): void {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x', namespace: 'default' },
    spec: {
      nodeName: 'n1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: IMAGE, imagePullPolicy: 'IfNotPresent' }],
      ...spec,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  };
  api.put('pods', pod);
}

function pod(): Pod | undefined {
  return api.get('pods', 'default', 'x') as Pod | undefined;
}

/** A pod's status in one line: phase, conditions, then each container. */
function line(): string {
  const { phase, conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod()?.status ?? {};
  const ready = conditions.find((condition) => condition.type === 'Ready');
  const containers = [...initContainerStatuses, ...containerStatuses].map(({ name, state, restartCount }) => {
    const shown = state?.running
      ? 'running'
      : (state?.waiting?.reason ?? `${state?.terminated?.reason} ${state?.terminated?.exitCode}`);
    return `${name}=${shown}${restartCount > 0 ? ` (${restartCount})` : ''}`;
  });
  return [phase, `ready ${ready?.status} ${ready?.reason ?? ''}`.trim(), ...containers].join('; ');
}

async function until(shown: () => unknown, wanted: unknown): Promise<void> {
  await expect.poll(shown, PATIENCE).toEqual(wanted);
}

describe('a node agent', () => {
  it('registers a node that says Ready and holds a lease', async () => {
    const { agent } = startAgent();
    await agent.ready;
    const node = api.get('nodes', undefined, 'n1');
    expect(node?.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1' });
    expect(node?.status?.['conditions']).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'True', reason: 'KubeletReady' }),
    );
    await until(() => api.get('leases', 'kube-node-lease', 'n1')?.spec?.['holderIdentity'], 'n1');
  });

  it('runs a pod, reports it, and says each thing once', async () => {
    startAgent();
    putPod({});
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    expect(pod()?.status).toMatchObject({
      podIP: '127.0.0.1',
      podIPs: [{ ip: '127.0.0.1' }],
      hostIP: '192.0.2.1',
      qosClass: 'BestEffort',
      observedGeneration: 1,
    });
    expect(
      pod()?.status?.conditions?.map(({ type, status, reason = '' }) => `${type} ${status}${reason}`),
    ).toEqual(['PodReadyToStartContainers True', 'Initialized True', 'Ready True', 'ContainersReady True']);
    expect(events).toEqual([
      `Normal Pulled: Container image "${IMAGE}" already present on machine and can be accessed by the pod`,
      'Normal Created: Container created',
      'Normal Started: Container started',
    ]);
  });

  it('runs init containers in order before the main one', async () => {
    const order: string[] = [];
    startAgent({
      onStart: (spec) => void order.push(spec.name),
      exitCode: (spec) => (spec.name === 'main' ? undefined : 0),
    });
    putPod({
      initContainers: [
        { name: 'one', image: IMAGE },
        { name: 'two', image: IMAGE },
      ],
    });
    await expect
      .poll(line, PATIENCE)
      .toBe('Running; ready True; one=Completed 0; two=Completed 0; main=running');
    expect(order).toEqual(['one', 'two', 'main']);
  });

  it('fails a pod whose init container fails when nothing is to be restarted', async () => {
    startAgent({ exitCode: () => 8 });
    putPod({ restartPolicy: 'Never', initContainers: [{ name: 'one', image: IMAGE }] });
    await expect
      .poll(line, PATIENCE)
      .toBe('Failed; ready False PodFailed; one=Error 8; main=PodInitializing');
  });

  it('starts a sidecar before the main container and ends it after', async () => {
    const { runtime } = startAgent();
    putPod({
      restartPolicy: 'Never',
      initContainers: [{ name: 'side', image: IMAGE, restartPolicy: 'Always' }],
    });
    await expect.poll(line, PATIENCE).toBe('Running; ready True; side=running; main=running');
    runtime.exit('main', 0);
    await expect
      .poll(line, PATIENCE)
      .toBe('Succeeded; ready False PodCompleted; side=Error 143; main=Completed 0');
    expect(events).toContain('Normal Killing: Stopping container side');
  });

  it('restarts at once the first time and backs off the second', async () => {
    startAgent({ exitCode: () => 5 });
    putPod({});
    await expect
      .poll(line, PATIENCE)
      .toBe('Running; ready False ContainersNotReady; main=CrashLoopBackOff (1)');
    const [status] = pod()?.status?.containerStatuses ?? [];
    expect(status?.state?.waiting?.message).toBe(
      'back-off 10s restarting failed container=main pod=x_default(uid-x)',
    );
    expect(status?.lastState?.terminated?.exitCode).toBe(5);
    expect(events).toContain(
      'Warning BackOff: Back-off restarting failed container main in pod x_default(uid-x)',
    );
  });

  it('reports how a pod without restarts ended', async () => {
    startAgent({ exitCode: () => 3 });
    putPod({ restartPolicy: 'Never' });
    await expect.poll(line, PATIENCE).toBe('Failed; ready False PodFailed; main=Error 3');
  });

  it('reports a command that cannot be started', async () => {
    startAgent({
      onStart: () => {
        throw new RuntimeError('START_FAILED', 'exec: "/no/such": no such file or directory');
      },
    });
    putPod({ restartPolicy: 'Never' });
    await expect.poll(line, PATIENCE).toBe('Failed; ready False PodFailed; main=StartError 128');
    expect(events).toContain('Warning Failed: Error: exec: "/no/such": no such file or directory');
  });

  it('reports an image that cannot be pulled, then backs off', async () => {
    startAgent();
    putPod({ containers: [{ name: 'main', image: 'registry.test/absent:1' }] });
    await expect.poll(line, PATIENCE).toBe('Pending; ready False ContainersNotReady; main=ErrImagePull');
    await expect.poll(line, PATIENCE).toBe('Pending; ready False ContainersNotReady; main=ImagePullBackOff');
    expect(events).toEqual(
      expect.arrayContaining([
        'Normal Pulling: Pulling image "registry.test/absent:1"',
        'Warning Failed: Failed to pull image "registry.test/absent:1": registry.test/absent:1: not found',
        'Warning Failed: Error: ErrImagePull',
        'Warning Failed: Error: ImagePullBackOff',
      ]),
    );
  });

  it('waits for a config map that the environment needs', async () => {
    const { runtime } = startAgent();
    const configMapKeyRef = { name: 'late', key: 'k' };
    putPod({
      containers: [{ name: 'main', image: IMAGE, env: [{ name: 'K', valueFrom: { configMapKeyRef } }] }],
    });
    await expect
      .poll(line, PATIENCE)
      .toBe('Pending; ready False ContainersNotReady; main=CreateContainerConfigError');
    expect(events).toContain('Warning Failed: Error: configmap "late" not found');
    api.put('configmaps', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'late', namespace: 'default' },
      data: { k: 'v' },
    } as never);
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    expect(runtime.specsOf('main')[0]?.env).toContainEqual({ name: 'K', value: 'v' });
  });

  it('does not start containers before their volumes are there', async () => {
    startAgent();
    putPod({ volumes: [{ name: 'v', configMap: { name: 'late' } }] });
    await until(
      () => events.at(-1),
      'Warning FailedMount: MountVolume.SetUp failed for volume "v" : configmap "late" not found',
    );
    expect(line()).toBe('Pending; ready False ContainersNotReady; main=ContainerCreating');
    expect(pod()?.status?.conditions?.[0]).toMatchObject({
      type: 'PodReadyToStartContainers',
      status: 'False',
    });
  });

  it('keeps the files of a config map volume up to date', async () => {
    const { runtime } = startAgent();
    const configMap = (value: string): never =>
      ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'c', namespace: 'default' },
        data: { k: value },
      }) as never;
    api.put('configmaps', configMap('one'));
    putPod({
      volumes: [{ name: 'v', configMap: { name: 'c' } }],
      containers: [{ name: 'main', image: IMAGE, volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
    });
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    const path =
      runtime.specsOf('main')[0]?.mounts.find((mount) => mount.containerPath === '/v')?.hostPath ?? '';
    expect(await readFile(join(path, 'k'), 'utf8')).toBe('one');
    api.put('configmaps', configMap('two'));
    await until(() => readFile(join(path, 'k'), 'utf8'), 'two');
  });

  it('ends a deleted pod within its grace period, then deletes it for good', async () => {
    const { runtime } = startAgent();
    putPod({});
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    api.markDeleted('default', 'x', 1);
    await until(pod, undefined);
    await expect.poll(() => runtime.sandboxes.size, PATIENCE).toBe(0);
    expect(events).toContain('Normal Killing: Stopping container main');
    const statuses = api.requests.filter(
      (request) => request.subresource === 'status' && request.resource === 'pods',
    );
    expect(statuses.at(-1)?.body).toMatchObject({ status: { phase: 'Failed' } });
  });

  it('restarts a container whose liveness probe fails', async () => {
    startAgent({ exec: () => ({ exitCode: 1, output: 'broken' }) });
    const livenessProbe = { exec: { command: ['check'] }, failureThreshold: 1, periodSeconds: 10 };
    putPod({ containers: [{ name: 'main', image: IMAGE, livenessProbe }] });
    await until(
      () => events.includes('Normal Killing: Container main failed liveness probe, will be restarted'),
      true,
    );
    expect(events).toContain('Warning Unhealthy: Liveness probe failed: broken');
    await until(() => pod()?.status?.containerStatuses?.[0]?.restartCount, 1);
  });

  it('is not ready until the readiness probe succeeds', async () => {
    let answer = { exitCode: 1, output: 'not yet' };
    startAgent({ exec: () => answer });
    const readinessProbe = { exec: { command: ['check'] }, periodSeconds: 1 };
    putPod({ containers: [{ name: 'main', image: IMAGE, readinessProbe }] });
    await expect.poll(line, PATIENCE).toBe('Running; ready False ContainersNotReady; main=running');
    answer = { exitCode: 0, output: '' };
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
  });

  it('kills a container whose postStart hook fails', async () => {
    startAgent({ exec: () => ({ exitCode: 4, output: '' }) });
    const lifecycle = { postStart: { exec: { command: ['sh', '-c', 'exit 4'] } } };
    putPod({ restartPolicy: 'Never', containers: [{ name: 'main', image: IMAGE, lifecycle }] });
    await expect.poll(line, PATIENCE).toBe('Failed; ready False PodFailed; main=Error 143');
    expect(events).toContain('Normal Killing: FailedPostStartHook');
  });

  it('takes over running containers and counts their restarts on', async () => {
    const { agent, runtime } = startAgent();
    putPod({});
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    runtime.exit('main', 1);
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running (1)');
    await agent.stop();
    const id = runtime.running('main')?.id;
    events = [];
    startAgent({}, runtime);
    await until(
      () =>
        api.requests.filter((request) => request.resource === 'nodes' && request.verb === 'get').length > 0,
      true,
    );
    runtime.exit('main', 1);
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running (2)');
    expect(runtime.specsOf('main').map((spec) => spec.attempt)).toEqual([1, 2]);
    expect(id).not.toBe(runtime.running('main')?.id);
  });

  it('removes what is left of pods deleted while it was away', async () => {
    const { agent, runtime } = startAgent();
    putPod({});
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    await agent.stop();
    api.remove('pods', 'default', 'x');
    startAgent({}, runtime);
    await expect.poll(() => runtime.sandboxes.size, PATIENCE).toBe(0);
  });

  it('refuses sysctls that are not safe', async () => {
    startAgent();
    putPod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } });
    await until(() => pod()?.status?.reason, 'SysctlForbidden');
    expect(pod()?.status?.message).toBe(
      'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted',
    );
  });

  it('fails a pod that is active for too long', async () => {
    startAgent();
    putPod({ activeDeadlineSeconds: 1 });
    await expect.poll(line, PATIENCE).toBe('Failed; ready False PodFailed; main=Error 143');
    expect(pod()?.status?.reason).toBe('DeadlineExceeded');
  });

  it('serves logs, follows them, and refuses what is not there', async () => {
    const { agent, runtime } = startAgent();
    putPod({});
    await expect.poll(line, PATIENCE).toBe('Running; ready True; main=running');
    const path = runtime.specsOf('main')[0]?.logPath ?? '';
    const first = '2026-01-01T00:00:00.000000001Z stdout F one\n2026-01-01T00:00:00.000000002Z stdout P tw\n';
    await writeFile(path, `${first}2026-01-01T00:00:00.000000003Z stdout F o\n`);
    const read = async (options: object): Promise<string> => {
      const chunks: Buffer[] = [];
      for await (const chunk of agent.logs({ namespace: 'default', pod: 'x', ...options }))
        chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    expect(await read({})).toBe('one\ntwo\n');
    expect(await read({ tailLines: 1 })).toBe('two\n');
    expect(await read({ limitBytes: 5 })).toBe('one\nt');
    expect(await read({ tailLines: 1, timestamps: true })).toBe('2026-01-01T00:00:00.000000002Z two\n');
    expect(() => agent.logs({ namespace: 'default', pod: 'x', previous: true })).toThrow(
      'previous terminated container "main" in pod "x" not found',
    );
    expect(() => agent.logs({ namespace: 'default', pod: 'x', container: 'c' })).toThrow(
      'container c is not valid for pod x',
    );
    const following = read({ follow: true, tailLines: 0 });
    await writeFile(path, '2026-01-01T00:00:00.000000004Z stdout F three\n', { flag: 'a' });
    runtime.exit('main', 0);
    expect(['', 'three\n']).toContain(await following);
  });
});
