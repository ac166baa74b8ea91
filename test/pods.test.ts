import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pod } from '../src/api/core/v1.gen.ts';
import { mainProcess } from './support/container-processes.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';

const busybox = {
  name: 'main',
  image: 'docker.io/library/busybox:1.36',
  imagePullPolicy: 'IfNotPresent',
} as const;

function shell(script: string, more: object = {}): object {
  return { ...busybox, command: ['sh', '-c', script], ...more };
}

function pod(name: string, spec: object): object {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name } }, spec };
}

describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'pods', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;

  beforeAll(async () => {
    cluster = await startKanoe(['--load', imageArchive('busybox')]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  const status = async (name: string): Promise<NonNullable<Pod['status']>> =>
    (await kubectl.json<Pod>('get', 'pod', name)).status ?? {};
  const phase = (name: string, wanted: string): Promise<string> =>
    kubectl('wait', `pod/${name}`, `--for=jsonpath={.status.phase}=${wanted}`, '--timeout=40s');
  const ready = (name: string): Promise<string> =>
    kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=40s');
  const events = (name: string): Promise<string> =>
    kubectl(
      'get',
      'events',
      '--field-selector',
      `involvedObject.name=${name}`,
      '--sort-by=.lastTimestamp',
      '-o',
      'jsonpath={range .items[*]}{.type} {.reason}: {.message}{"\\n"}{end}',
    );

  it('runs init containers one after the other, before the others', async () => {
    const mounts = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    await kubectl.apply([
      pod('inits', {
        restartPolicy: 'Never',
        volumes: [{ name: 'shared', emptyDir: {} }],
        initContainers: [
          { ...shell('echo one >> /shared/order', mounts), name: 'first' },
          { ...shell('sleep 0.3; echo two >> /shared/order', mounts), name: 'second' },
        ],
        containers: [shell('cat /shared/order', mounts)],
      }),
    ]);
    await phase('inits', 'Succeeded');
    expect(await kubectl('logs', 'inits')).toBe('one\ntwo\n');
    const { initContainerStatuses = [] } = await status('inits');
    expect(initContainerStatuses.map(({ state }) => state?.terminated?.reason)).toEqual([
      'Completed',
      'Completed',
    ]);
  });

  it('keeps a sidecar beside the others and ends it after them', async () => {
    await kubectl.apply([
      pod('sidecar', {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        initContainers: [
          { ...shell('while true; do sleep 0.1; done'), name: 'side', restartPolicy: 'Always' },
        ],
        containers: [shell('sleep 0.5; echo done')],
      }),
    ]);
    await phase('sidecar', 'Succeeded');
    expect(await kubectl('logs', 'sidecar')).toBe('done\n');
  });

  it('restarts with back-off, on failure and always, and never when told so', async () => {
    await kubectl.apply([
      pod('always', { containers: [shell('echo try; exit 1')] }),
      pod('on-failure', {
        restartPolicy: 'OnFailure',
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          shell('test -e /v/ran || { touch /v/ran; exit 2; }', {
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
          }),
        ],
      }),
      pod('never', { restartPolicy: 'Never', containers: [shell('exit 3')] }),
    ]);
    await phase('never', 'Failed');
    expect((await status('never')).containerStatuses?.[0]).toMatchObject({
      restartCount: 0,
      state: { terminated: { exitCode: 3, reason: 'Error' } },
    });
    await kubectl(
      'wait',
      'pod/always',
      '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff',
      '--timeout=40s',
    );
    const crashing = (await status('always')).containerStatuses?.[0];
    expect(crashing?.state?.waiting?.message).toMatch(
      /^back-off \d+s restarting failed container=main pod=always_default\([-0-9a-f]{36}\)$/,
    );
    expect(crashing?.lastState?.terminated?.exitCode).toBe(1);
    await phase('on-failure', 'Succeeded');
    expect((await status('on-failure')).containerStatuses?.[0]?.restartCount).toBe(1);
    expect(await events('always')).toMatch(
      /Warning BackOff: Back-off restarting failed container main in pod always_default\([-0-9a-f]{36}\)/,
    );
    await kubectl('delete', 'pod', 'always', '--now');
  });

  it('probes readiness, liveness and start-up', async () => {
    await kubectl.apply([
      pod('probed', {
        volumes: [{ name: 'v', emptyDir: {} }],
        terminationGracePeriodSeconds: 1,
        containers: [
          shell('exec sleep 100000', {
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
            readinessProbe: { exec: { command: ['test', '-e', '/v/ready'] }, periodSeconds: 1 },
            livenessProbe: {
              exec: { command: ['sh', '-c', 'test ! -e /v/sick || { echo very sick; exit 1; }'] },
              periodSeconds: 1,
              failureThreshold: 1,
            },
            startupProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
          }),
        ],
      }),
      pod('tcp', {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            ...busybox,
            image: 'kanoe.local/node',
            command: ['node', '-e', 'require("node:net").createServer().listen(7000)'],
            readinessProbe: { tcpSocket: { port: 7000 }, periodSeconds: 1 },
          },
        ],
      }),
    ]);
    await phase('probed', 'Running');
    await eventually(async () =>
      expect(await events('probed')).toMatch(/Warning Unhealthy: Readiness probe failed: /),
    );
    expect((await status('probed')).conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [main]',
    });
    await kubectl('exec', 'probed', '--', 'touch', '/v/ready');
    await ready('probed');
    await kubectl('exec', 'probed', '--', 'touch', '/v/sick');
    await kubectl(
      'wait',
      'pod/probed',
      '--for=jsonpath={.status.containerStatuses[0].restartCount}=1',
      '--timeout=40s',
    );
    const told = await events('probed');
    expect(told).toContain('Warning Unhealthy: Liveness probe failed: very sick');
    expect(told).toContain('Normal Killing: Container main failed liveness probe, will be restarted');
    await ready('tcp');
    await kubectl('delete', 'pod', 'probed', 'tcp', '--now');
  });

  it('runs hooks after the start and before the end', async () => {
    await kubectl.apply([
      pod('hooked', {
        volumes: [{ name: 'v', hostPath: { path: cluster.directory } }],
        containers: [
          shell('trap "echo TERM >> /v/order; exit 0" TERM; while true; do sleep 0.1; done', {
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
            lifecycle: {
              postStart: { exec: { command: ['sh', '-c', 'echo started >> /v/order'] } },
              preStop: { exec: { command: ['sh', '-c', 'echo stopping >> /v/order'] } },
            },
          }),
        ],
      }),
      pod('hook-fails', {
        containers: [
          shell('exec sleep 100000', {
            lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo no; exit 4'] } } },
          }),
        ],
        terminationGracePeriodSeconds: 0,
      }),
    ]);
    await ready('hooked');
    await kubectl('delete', 'pod', 'hooked', '--timeout=30s');
    expect(readFileSync(join(cluster.directory, 'order'), 'utf8')).toBe('started\nstopping\nTERM\n');
    await eventually(async () =>
      expect(await events('hook-fails')).toMatch(/Warning FailedPostStartHook: PostStartHook failed/),
    );
    await kubectl('delete', 'pod', 'hook-fails', '--now');
  });

  it('asks a container to end, and ends it after its grace period', async () => {
    await kubectl.apply([
      pod('polite', { containers: [shell('trap "exit 0" TERM; while true; do sleep 0.1; done')] }),
      pod('stubborn', { containers: [shell('trap "" TERM; while true; do sleep 0.1; done')] }),
    ]);
    await ready('polite');
    await ready('stubborn');
    const id = (await status('stubborn')).containerStatuses?.[0]?.containerID ?? '';
    const pid = mainProcess(id);
    const took = async (...args: readonly string[]): Promise<number> => {
      const begun = performance.now();
      await kubectl('delete', 'pod', ...args, '--timeout=30s');
      return performance.now() - begun;
    };
    expect(await took('polite')).toBeLessThan(10_000);
    expect(await took('stubborn', '--grace-period=2')).toBeGreaterThan(1_900);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it('fills the environment from every source', async () => {
    await kubectl(
      'create',
      'configmap',
      'settings',
      '--from-literal=COLOUR=red',
      '--from-literal=SIZE=large',
    );
    await kubectl('create', 'secret', 'generic', 'hidden', '--from-literal=password=s3cret');
    await kubectl.apply([
      pod('environment', {
        restartPolicy: 'Never',
        containers: [
          shell('env', {
            resources: { limits: { memory: '64Mi', cpu: '500m' } },
            envFrom: [
              { configMapRef: { name: 'settings' } },
              { secretRef: { name: 'hidden' }, prefix: 'X_' },
            ],
            env: [
              { name: 'PLAIN', value: 'text' },
              { name: 'COMPOSED', value: '$(PLAIN)-$(COLOUR)-$$(PLAIN)-$(NONE)' },
              { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'settings', key: 'SIZE' } } },
              { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'hidden', key: 'password' } } },
              {
                name: 'OPTIONAL',
                valueFrom: { secretKeyRef: { name: 'none', key: 'none', optional: true } },
              },
              { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              {
                name: 'MEMORY',
                valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } },
              },
            ],
          }),
        ],
      }),
    ]);
    await phase('environment', 'Succeeded');
    const lines = (await kubectl('logs', 'environment')).split('\n');
    const { podIP } = await status('environment');
    for (const line of [
      'PLAIN=text',
      'COMPOSED=text-red-$(PLAIN)-$(NONE)',
      'KEY=large',
      'SIZE=large',
      'SECRET=s3cret',
      'X_password=s3cret',
      'NAME=environment',
      'LABEL=environment',
      `NODE=${cluster.name}`,
      `IP=${podIP}`,
      'MEMORY=64',
      'HOSTNAME=environment',
      'KUBERNETES_SERVICE_PORT=443',
    ])
      expect(lines).toContain(line);
    expect(lines.filter((line) => line.startsWith('OPTIONAL'))).toEqual([]);
  });

  it('mounts every kind of volume, and shows later changes of config maps', async () => {
    const folder = join(cluster.directory, 'from-host');
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'of the host');
    await kubectl('create', 'configmap', 'files', '--from-literal=a=first', '--from-literal=b=second');
    await kubectl('create', 'secret', 'generic', 'keys', '--from-literal=key=locked');
    await kubectl.apply([
      pod('volumes', {
        containers: [
          shell('exec sleep 100000', {
            volumeMounts: [
              { name: 'files', mountPath: '/files' },
              { name: 'files', mountPath: '/single', subPath: 'b' },
              { name: 'keys', mountPath: '/keys', readOnly: true },
              { name: 'empty', mountPath: '/empty' },
              { name: 'memory', mountPath: '/memory' },
              { name: 'host', mountPath: '/host' },
              { name: 'down', mountPath: '/down' },
              { name: 'all', mountPath: '/all' },
            ],
          }),
        ],
        volumes: [
          { name: 'files', configMap: { name: 'files', defaultMode: 0o440 } },
          {
            name: 'keys',
            secret: { secretName: 'keys', items: [{ key: 'key', path: 'deep/key', mode: 0o400 }] },
          },
          { name: 'empty', emptyDir: {} },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'host', hostPath: { path: folder, type: 'Directory' } },
          {
            name: 'down',
            downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
          },
          {
            name: 'all',
            projected: {
              sources: [
                { configMap: { name: 'files', items: [{ key: 'a', path: 'a' }] } },
                { secret: { name: 'keys' } },
                { serviceAccountToken: { path: 'token', audience: 'somebody', expirationSeconds: 3600 } },
              ],
            },
          },
        ],
      }),
    ]);
    await ready('volumes');
    const sh = (script: string): Promise<string> => kubectl('exec', 'volumes', '--', 'sh', '-c', script);
    expect(await sh('cat /files/a /single /keys/deep/key /host/file /all/a /all/key')).toBe(
      'firstsecondlockedof the hostfirstlocked',
    );
    expect(await sh('stat -L -c %a /files/a /keys/deep/key')).toBe('440\n400\n');
    expect(await sh('cat /down/labels')).toBe('app="volumes"');
    expect(await sh('touch /empty/x /memory/x /host/made && stat -f -c %T /memory')).toBe('tmpfs\n');
    expect(existsSync(join(folder, 'made'))).toBe(true);
    expect((await kubectl.try(['exec', 'volumes', '--', 'sh', '-c', 'touch /keys/x'])).stderr).toContain(
      'Read-only file system',
    );
    expect(
      (
        await kubectl.try([
          'exec',
          'volumes',
          '--',
          'sh',
          '-c',
          'dd if=/dev/zero of=/memory/big bs=100000 count=20',
        ])
      ).stderr,
    ).toContain('No space left');
    const claims = JSON.parse(
      Buffer.from((await sh('cat /all/token')).split('.')[1] ?? '', 'base64url').toString(),
    ) as { aud: string[]; sub: string };
    expect(claims).toMatchObject({ aud: ['somebody'], sub: 'system:serviceaccount:default:default' });
    await kubectl('patch', 'configmap', 'files', '-p', '{"data":{"a":"changed"}}');
    await eventually(async () => expect(await sh('cat /files/a')).toBe('changed'), 90_000);
    await kubectl('delete', 'pod', 'volumes', '--now');
  });

  it('limits memory and processors', async () => {
    await kubectl.apply([
      pod('hungry', {
        restartPolicy: 'Never',
        containers: [shell('tail /dev/zero', { resources: { limits: { memory: '24Mi' } } })],
      }),
      pod('limited', {
        containers: [
          shell('exec sleep 100000', {
            resources: { requests: { cpu: '100m' }, limits: { cpu: '250m', memory: '32Mi' } },
          }),
        ],
        terminationGracePeriodSeconds: 0,
      }),
    ]);
    await phase('hungry', 'Failed');
    expect((await status('hungry')).containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'OOMKilled',
    });
    await ready('limited');
    const pid = mainProcess((await status('limited')).containerStatuses?.[0]?.containerID ?? '');
    expect(memoryLimit(pid)).toBe(32 << 20);
    expect((await kubectl.json<Pod>('get', 'pod', 'limited')).status?.qosClass).toBe('Burstable');
  });

  it('says why a container cannot start', async () => {
    await kubectl.apply([
      pod('no-image', { containers: [{ ...busybox, image: '127.0.0.1:1/none:v1' }] }),
      pod('never-pulled', {
        containers: [{ ...busybox, image: 'none.test/none', imagePullPolicy: 'Never' }],
      }),
      pod('bad-name', { containers: [{ ...busybox, image: 'UPPER/Case' }] }),
      pod('no-command', {
        restartPolicy: 'Never',
        containers: [{ ...busybox, command: ['no-such-command'] }],
      }),
      pod('no-config', {
        containers: [
          shell('true', {
            env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'absent', key: 'a' } } }],
          }),
        ],
      }),
      pod('no-volume', {
        containers: [shell('true')],
        volumes: [{ name: 'v', secret: { secretName: 'absent' } }],
      }),
    ]);
    const waiting = (name: string, reason: string): Promise<string> =>
      kubectl(
        'wait',
        `pod/${name}`,
        `--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=${reason}`,
        '--timeout=40s',
      );
    await waiting('no-image', 'ImagePullBackOff');
    const told = await events('no-image');
    expect(told).toContain('Normal Pulling: Pulling image "127.0.0.1:1/none:v1"');
    expect(told).toMatch(/Warning Failed: Failed to pull image "127\.0\.0\.1:1\/none:v1": .*ECONNREFUSED/);
    expect(told).toContain('Warning Failed: Error: ErrImagePull');
    expect(told).toContain('Normal BackOff: Back-off pulling image "127.0.0.1:1/none:v1"');
    expect(told).toContain('Warning Failed: Error: ImagePullBackOff');
    await waiting('never-pulled', 'ErrImageNeverPull');
    expect(await events('never-pulled')).toContain(
      'Warning ErrImageNeverPull: Container image "none.test/none" is not present with pull policy of Never',
    );
    await waiting('bad-name', 'InvalidImageName');
    await phase('no-command', 'Failed');
    expect((await status('no-command')).containerStatuses?.[0]?.state?.terminated).toMatchObject({
      reason: 'StartError',
      exitCode: 128,
    });
    expect(await events('no-command')).toMatch(
      /Warning Failed: .*exec: "no-such-command": executable file not found in \$PATH/,
    );
    await waiting('no-config', 'CreateContainerConfigError');
    expect(await events('no-config')).toContain('Warning Failed: Error: configmap "absent" not found');
    await eventually(async () =>
      expect(await events('no-volume')).toContain(
        'Warning FailedMount: MountVolume.SetUp failed for volume "v" : secret "absent" not found',
      ),
    );
    await kubectl(
      'delete',
      'pods',
      '--now',
      'no-image',
      'never-pulled',
      'bad-name',
      'no-command',
      'no-config',
      'no-volume',
    );
  });

  it('records the life of a pod in events', async () => {
    await kubectl.apply([
      pod('story', { containers: [shell('exec sleep 100000')], terminationGracePeriodSeconds: 0 }),
    ]);
    await ready('story');
    const told = await events('story');
    expect(told).toContain(`Normal Scheduled: Successfully assigned default/story to ${cluster.name}`);
    expect(told).toMatch(
      /Normal Pulled: Container image "docker\.io\/library\/busybox:1\.36" already present on machine/,
    );
    expect(told).toMatch(/Normal Created: (Created container main|Container created)/);
    expect(told).toMatch(/Normal Started: (Started container main|Container started)/);
    await kubectl('delete', 'pod', 'story', '--now');
    await eventually(async () =>
      expect(await events('story')).toContain('Normal Killing: Stopping container main'),
    );
  });

  it('keeps a pod that fits nowhere pending, and says why', async () => {
    await kubectl.apply([
      pod('too-big', { containers: [shell('true', { resources: { requests: { cpu: '1000' } } })] }),
      pod('elsewhere', { nodeSelector: { disk: 'none' }, containers: [shell('true')] }),
    ]);
    await eventually(async () => {
      expect(await events('too-big')).toMatch(
        /Warning FailedScheduling: 0\/1 nodes are available: 1 Insufficient cpu\./,
      );
      expect(await events('elsewhere')).toMatch(
        /Warning FailedScheduling: 0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
      );
    });
    await kubectl('delete', 'pods', 'too-big', 'elsewhere');
  });

  it('gives a container the identity that its security context asks for', async () => {
    await kubectl.apply([
      pod('identity', {
        restartPolicy: 'Never',
        securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000 },
        volumes: [{ name: 'v', emptyDir: {} }],
        containers: [
          shell(
            'id -u; id -g; id -G; stat -c %g /v; touch /no 2>/dev/null || echo refused; grep CapEff /proc/self/status',
            {
              volumeMounts: [{ name: 'v', mountPath: '/v' }],
              securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            },
          ),
        ],
      }),
    ]);
    await phase('identity', 'Succeeded');
    expect(await kubectl('logs', 'identity')).toBe(
      '1000\n2000\n2000 3000\n3000\nrefused\nCapEff:\t0000000000000000\n',
    );
  });

  it('runs a job to its end', async () => {
    await kubectl(
      'create',
      'job',
      'count',
      '--image=docker.io/library/busybox:1.36',
      '--',
      'sh',
      '-c',
      'echo counted',
    );
    await kubectl('wait', 'job/count', '--for=condition=Complete', '--timeout=40s');
    expect(await kubectl('logs', 'job/count')).toBe('counted\n');
    expect(await kubectl('get', 'job', 'count', '--no-headers')).toMatch(
      /^count +Complete +1\/1 +\d+s +\d+s\n$/,
    );
    await kubectl('delete', 'job', 'count');
    await eventually(async () =>
      expect(await kubectl('get', 'pods', '-l', 'job-name=count', '-o', 'name')).toBe(''),
    );
  });

  it('runs the Node.js of this machine as kanoe.local/node', async () => {
    const text = await kubectl(
      'run',
      'here',
      '-i',
      '--rm',
      '--quiet',
      '--restart=Never',
      '--image=kanoe.local/node',
      '--image-pull-policy=IfNotPresent',
      '--',
      'node',
      '-p',
      'process.version',
    );
    expect(text.trim()).toBe(process.version);
  });
});

/** The memory limit of the control group of a process, in bytes. */
function memoryLimit(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const first = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
  const folders =
    first === undefined
      ? [`/sys/fs/cgroup${/^0::(.*)$/m.exec(groups)?.[1]}/memory.max`]
      : [`/sys/fs/cgroup/memory${first}/memory.limit_in_bytes`];
  return Math.min(...folders.map((file) => Number(readFileSync(file, 'utf8'))));
}
