import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ContainerStatus, Node, Pod } from '../src/api/core/v1.gen.ts';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import type { Kubectl } from './support/kubectl.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { pod, shell } from './support/pods.ts';

describeWith({ root: true, kubectl: true, images: ['busybox'] }, 'fields of pods', () => {
  let cluster: Workplace;
  let kubectl: Kubectl;

  beforeAll(async () => {
    cluster = await startKanoe([
      '--load',
      imageArchive('busybox'),
      '--feature-gates',
      'ContainerStopSignals=true',
    ]);
    kubectl = cluster.kubectl();
  });
  afterAll(() => cluster?.stop());

  const status = async (name: string): Promise<NonNullable<Pod['status']>> =>
    (await kubectl.json<Pod>('get', 'pod', name)).status ?? {};
  const main = async (name: string): Promise<ContainerStatus | undefined> =>
    (await status(name)).containerStatuses?.[0];
  const phase = (name: string, wanted: string): Promise<string> =>
    kubectl('wait', `pod/${name}`, `--for=jsonpath={.status.phase}=${wanted}`, '--timeout=40s');
  const ready = (name: string): Promise<string> =>
    kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=40s');
  /** What a script writes in a pod of this specification, line by line. */
  const output = async (
    name: string,
    script: string,
    more: { spec?: object; container?: object } = {},
  ): Promise<readonly string[]> => {
    const spec = { restartPolicy: 'Never', containers: [shell(script, more.container)], ...more.spec };
    await kubectl.apply([pod(name, spec)]);
    await phase(name, 'Succeeded');
    return (await kubectl('logs', name, '-c', 'main')).trimEnd().split('\n');
  };
  const eventOf = (name: string, reason: string): Promise<string> =>
    kubectl(
      'get',
      'events',
      '--field-selector',
      `involvedObject.name=${name},reason=${reason}`,
      '-o',
      'jsonpath={.items[*].message}',
    );

  it('runs as user and groups, with the rights that its security context leaves it', async () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const securityContext = {
      runAsUser: 1000,
      runAsGroup: 2000,
      fsGroup: 3000,
      supplementalGroups: [4000],
      supplementalGroupsPolicy: 'Strict',
    };
    const container = {
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
      },
    };
    const script =
      'id -u; id -G; stat -c %g /v; grep -E "CapBnd|NoNewPrivs" /proc/self/status; touch /x 2>&1 || true';
    const lines = await output('rights', script, { spec: { securityContext, volumes }, container });
    expect(lines).toEqual([
      '1000',
      '2000 3000 4000',
      '3000',
      'CapBnd:\t0000000000000400',
      'NoNewPrivs:\t1',
      'touch: /x: Read-only file system',
    ]);
    const [caps] = await output('privileged', 'grep CapEff /proc/self/status', {
      container: { securityContext: { privileged: true } },
    });
    expect(caps).not.toBe('CapEff:\t00000000a80425fb');
  });

  it('confines system calls by the default profile and by one of the node', async () => {
    const folder = join(cluster.record().dataDirectory, 'seccomp');
    mkdirSync(folder, { recursive: true });
    const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' };
    writeFileSync(
      join(folder, 'no-mkdir.json'),
      JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }),
    );
    const profile = (seccompProfile: object): object => ({ spec: { securityContext: { seccompProfile } } });
    const script = 'grep Seccomp: /proc/self/status; mkdir /x 2>/dev/null && echo made || echo refused';
    expect(await output('usual', script, profile({ type: 'RuntimeDefault' }))).toEqual([
      'Seccomp:\t2',
      'made',
    ]);
    const own = profile({ type: 'Localhost', localhostProfile: 'no-mkdir.json' });
    expect(await output('own', script, own)).toEqual(['Seccomp:\t2', 'refused']);
    expect(await output('free', script, profile({ type: 'Unconfined' }))).toEqual(['Seccomp:\t0', 'made']);
  });

  it('does not run as root where that is forbidden', async () => {
    const securityContext = { runAsNonRoot: true };
    await kubectl.apply([pod('nonroot', { securityContext, containers: [shell('true')] })]);
    await eventually(async () => {
      const waiting = (await main('nonroot'))?.state?.waiting;
      expect(waiting?.reason).toBe('CreateContainerConfigError');
      expect(waiting?.message).toContain('container has runAsNonRoot and image will run as root');
    });
  });

  it('has the names, hosts and name servers that it asks for', async () => {
    const named = { hostname: 'host', subdomain: 'sub', setHostnameAsFQDN: true };
    const hostAliases = [{ ip: '192.0.2.7', hostnames: ['one.example', 'two.example'] }];
    expect(
      await output('named', 'hostname; tail -n 1 /etc/hosts', { spec: { ...named, hostAliases } }),
    ).toEqual(['host.sub.default.svc.cluster.local', '192.0.2.7\tone.example\ttwo.example']);
    expect(await output('renamed', 'hostname', { spec: { hostnameOverride: 'over.ride' } })).toEqual([
      'over.ride',
    ]);
    const dnsConfig = {
      nameservers: ['192.0.2.53'],
      searches: ['example.org'],
      options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
    };
    const spec = { dnsPolicy: 'None', dnsConfig };
    expect(await output('dns', 'cat /etc/resolv.conf', { spec })).toEqual([
      'search example.org',
      'nameserver 192.0.2.53',
      'options ndots:2 edns0',
    ]);
  });

  it('sets safe sysctls and refuses others', async () => {
    const sysctl = (name: string): object => ({ securityContext: { sysctls: [{ name, value: '1' }] } });
    const safe = 'net.ipv4.ip_unprivileged_port_start';
    const script = `cat /proc/sys/${safe.replaceAll('.', '/')}`;
    expect(await output('safe', script, { spec: sysctl(safe) })).toEqual(['1']);
    await kubectl.apply([pod('unsafe', { ...sysctl('net.core.somaxconn'), containers: [shell('true')] })]);
    await eventually(async () =>
      expect(await status('unsafe')).toMatchObject({
        phase: 'Failed',
        reason: 'SysctlForbidden',
        message: 'Pod was rejected: forbidden sysctl: "net.core.somaxconn" not allowlisted',
      }),
    );
  });

  it('shares processes and namespaces where it is to', async () => {
    const [first = ''] = await output('shared', 'cat /proc/1/cmdline | tr "\\0" " "; echo', {
      spec: { shareProcessNamespace: true },
    });
    expect(first).not.toContain('cmdline');
    const host = { hostNetwork: true, hostPID: true, hostIPC: true };
    const inside = await output('host', 'for n in net pid ipc; do readlink /proc/self/ns/$n; done', {
      spec: host,
    });
    const outside = ['net', 'pid', 'ipc'].map((name) => name);
    expect(inside).toHaveLength(outside.length);
    const own = await output('apart', 'for n in net pid ipc; do readlink /proc/self/ns/$n; done');
    for (const [index, namespace] of own.entries()) expect(namespace).not.toBe(inside[index]);
  });

  it('keeps last words, from a file or the log', async () => {
    await kubectl.apply([
      pod('words', {
        restartPolicy: 'Never',
        containers: [shell('echo bye > /last; exit 3', { terminationMessagePath: '/last' })],
      }),
      pod('lines', {
        restartPolicy: 'Never',
        containers: [
          shell('echo from the log; exit 4', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
        ],
      }),
    ]);
    await Promise.all([phase('words', 'Failed'), phase('lines', 'Failed')]);
    expect((await main('words'))?.state?.terminated).toMatchObject({ exitCode: 3, message: 'bye\n' });
    expect((await main('lines'))?.state?.terminated).toMatchObject({ message: 'from the log\n' });
  });

  it('starts a container again by rules of its own', async () => {
    const container = {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
      volumeMounts: [{ name: 'v', mountPath: '/v' }],
    };
    const spec = { volumes: [{ name: 'v', emptyDir: {} }] };
    await output('rules', 'test -f /v/x && exit 0; touch /v/x; exit 42', { spec, container });
    expect((await main('rules'))?.restartCount).toBe(1);
  });

  it('takes variables from files that an earlier container wrote', async () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const mounted = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const fileKeyRef = { volumeName: 'v', path: 'app.env', key: 'GREETING' };
    const initContainers = [
      { ...shell(`echo "GREETING='hello there'" > /v/app.env`, mounted), name: 'prepare' },
    ];
    const env = [{ name: 'SAID', valueFrom: { fileKeyRef } }];
    expect(
      await output('env-file', 'echo $SAID', { spec: { volumes, initContainers }, container: { env } }),
    ).toEqual(['hello there']);
  });

  it('mounts what is in images, and trees that nobody can write to', async () => {
    const image = { reference: 'docker.io/library/busybox:1.36', pullPolicy: 'IfNotPresent' };
    const volumes = [
      { name: 'i', image },
      { name: 'v', emptyDir: {} },
    ];
    const volumeMounts = [
      { name: 'i', mountPath: '/i' },
      { name: 'v', mountPath: '/v', readOnly: true, recursiveReadOnly: 'Enabled' },
    ];
    const script = 'test -e /i/bin/sh && echo there; touch /v/x 2>/dev/null || echo read-only';
    expect(await output('images', script, { spec: { volumes }, container: { volumeMounts } })).toEqual([
      'there',
      'read-only',
    ]);
    expect((await main('images'))?.volumeMounts).toContainEqual(
      expect.objectContaining({ name: 'v', recursiveReadOnly: 'Enabled' }),
    );
  });

  it('gives a volume to its group, all of it or only when its root is not', async () => {
    await kubectl.apply([
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'kept' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
      },
    ]);
    const group = (name: string, script: string, fsGroupChangePolicy: string): Promise<readonly string[]> => {
      const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'kept' } }];
      const container = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
      return output(name, script, {
        spec: { volumes, securityContext: { fsGroup: 3000, fsGroupChangePolicy } },
        container,
      });
    };
    const show = 'stat -c %g /v /v/file';
    expect(await group('first', `touch /v/file; chgrp 5000 /v/file; ${show}`, 'Always')).toEqual([
      '3000',
      '5000',
    ]);
    expect(await group('second', show, 'OnRootMismatch')).toEqual(['3000', '5000']);
    expect(await group('third', show, 'Always')).toEqual(['3000', '3000']);
  });

  it('is ready when others say so too', async () => {
    const readinessGates = [{ conditionType: 'example.org/open' }];
    await kubectl.apply([pod('gated', { readinessGates, containers: [shell('sleep 1000')] })]);
    const conditionOf = async (type: string): Promise<unknown> =>
      (await status('gated')).conditions?.find((condition) => condition.type === type);
    await eventually(async () =>
      expect(await conditionOf('ContainersReady')).toMatchObject({ status: 'True' }),
    );
    expect(await conditionOf('Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    const patch = { status: { conditions: [{ type: 'example.org/open', status: 'True' }] } };
    await kubectl('patch', 'pod', 'gated', '--subresource=status', '-p', JSON.stringify(patch));
    await ready('gated');
  });

  it('is limited as a whole', async () => {
    const resources = { limits: { memory: '32Mi', cpu: '500m' }, requests: { memory: '16Mi' } };
    const script =
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max';
    expect(await output('whole', script, { spec: { resources } })).toEqual([String(32 * 1024 * 1024)]);
    expect((await status('whole')).resources).toMatchObject({ limits: resources.limits });
  });

  it('loses only the container whose memory runs out', async () => {
    const limits = { resources: { limits: { memory: '16Mi' } } };
    const hog = { ...shell('tail /dev/zero', limits), name: 'hog' };
    await kubectl.apply([pod('memory', { restartPolicy: 'Never', containers: [hog, shell('sleep 2')] })]);
    await phase('memory', 'Failed');
    const { containerStatuses = [] } = await status('memory');
    expect(containerStatuses.map(({ state }) => state?.terminated?.reason)).toEqual([
      'OOMKilled',
      'Completed',
    ]);
  });

  it('starts its program where and how it is told', async () => {
    const container = {
      command: ['sh', '-c'],
      args: ['pwd; test -t 1 && echo terminal'],
      workingDir: '/tmp',
      tty: true,
    };
    const lines = await output('told', '', { container });
    expect(lines.map((line) => line.trim())).toEqual(['/tmp', 'terminal']);
  });

  it('takes parts of volumes, amounts of other containers, and what may be missing', async () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    const other = {
      ...shell('mkdir -p /v/part; echo inside > /v/part/file', {
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        resources: { limits: { memory: '24Mi' } },
      }),
      name: 'other',
    };
    const resourceFieldRef = { containerName: 'other', resource: 'limits.memory', divisor: '1Mi' };
    const fileKeyRef = { volumeName: 'v', path: 'none', key: 'NONE', optional: true };
    const container = {
      env: [
        { name: 'PART', value: 'part' },
        { name: 'MEBIBYTES', valueFrom: { resourceFieldRef } },
        { name: 'NONE', valueFrom: { fileKeyRef } },
      ],
      volumeMounts: [{ name: 'v', mountPath: '/p', subPathExpr: '$(PART)' }],
    };
    const script = 'cat /p/file; echo $MEBIBYTES ${NONE-none}';
    const spec = { volumes, initContainers: [other] };
    expect(await output('parts', script, { spec, container })).toEqual(['inside', '24 none']);
  });

  it('has an account with a token, or neither token nor links to services', async () => {
    await kubectl('create', 'serviceaccount', 'worker');
    const script =
      'ls /var/run/secrets/kubernetes.io/serviceaccount 2>/dev/null | wc -l; env | grep -c _SERVICE_HOST';
    const kubernetes = { serviceAccountName: 'worker' };
    expect(await output('account', script, { spec: kubernetes })).toEqual(['3', '1']);
    expect((await kubectl.json<Pod>('get', 'pod', 'account')).spec.serviceAccount).toBe('worker');
    await kubectl('create', 'service', 'clusterip', 'linked', '--tcp=80');
    const bare = { automountServiceAccountToken: false, enableServiceLinks: false };
    expect(await output('bare', script, { spec: bare })).toEqual(['0', '1']);
  });

  it('says which secret for its images is missing', async () => {
    const imagePullSecrets = [{ name: 'nowhere' }];
    const image = { image: 'registry.invalid/none:1', imagePullPolicy: 'Always' };
    await kubectl.apply([pod('pulls', { imagePullSecrets, containers: [shell('true', image)] })]);
    await eventually(async () =>
      expect(await eventOf('pulls', 'FailedToRetrieveImagePullSecret')).toContain('(nowhere)'),
    );
  });

  it('keeps volumes that live as long as the pod, and claims that it may only read', async () => {
    const volumeMounts = [{ name: 'v', mountPath: '/v' }];
    const volumeClaimTemplate = {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
    };
    await output('owner', 'echo kept > /v/x && cat /v/x', {
      spec: { volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate } }] },
      container: { volumeMounts },
    });
    const persistentVolumeClaim = { claimName: 'owner-v', readOnly: true };
    expect(
      await output('visitor', 'cat /v/x; touch /v/y 2>/dev/null || echo read-only', {
        spec: { volumes: [{ name: 'v', persistentVolumeClaim }] },
        container: { volumeMounts },
      }),
    ).toEqual(['kept', 'read-only']);
  });

  it('is probed and told as its probes and hooks say, over HTTP and gRPC', async () => {
    const folder = join(cluster.directory, 'calls');
    mkdirSync(folder);
    const program = `
      const { appendFileSync } = require('node:fs');
      require('node:http').createServer((call, answer) => {
        appendFileSync('/calls/http', call.url + ' ' + call.headers['x-token'] + '\\n');
        answer.end('ok');
      }).listen(8080);
      require('node:http2').createServer().on('stream', (stream, headers) => {
        const parts = [];
        stream.on('data', (part) => parts.push(part)).on('end', () => {
          appendFileSync('/calls/grpc', headers[':path'] + ' ' + Buffer.concat(parts).subarray(7) + '\\n');
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
          stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
        });
      }).listen(8081);
      process.on('SIGTERM', () => process.exit(0));`;
    const httpHeaders = [{ name: 'X-Token', value: 'secret' }];
    const httpGet = { path: '/ready', port: 'web', scheme: 'HTTP', host: '', httpHeaders };
    const numbers = { periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 30 };
    const container = {
      name: 'main',
      image: 'kanoe.local/node',
      imagePullPolicy: 'IfNotPresent',
      command: ['node', '-e', program],
      ports: [{ name: 'web', containerPort: 8080 }],
      volumeMounts: [{ name: 'c', mountPath: '/calls' }],
      startupProbe: { tcpSocket: { port: 8080 }, ...numbers },
      readinessProbe: { httpGet, initialDelaySeconds: 1, successThreshold: 2, ...numbers },
      livenessProbe: { grpc: { port: 8081, service: 'all' }, ...numbers },
      lifecycle: {
        postStart: { sleep: { seconds: 1 } },
        preStop: { httpGet: { path: '/stopping', port: 'web', httpHeaders } },
      },
    };
    const volumes = [{ name: 'c', hostPath: { path: folder } }];
    await kubectl.apply([
      pod('probed', { volumes, containers: [container], terminationGracePeriodSeconds: 5 }),
    ]);
    await ready('probed');
    await eventually(() =>
      expect(readFileSync(join(folder, 'grpc'), 'utf8')).toContain('/grpc.health.v1.Health/Check all'),
    );
    await kubectl('delete', 'pod', 'probed');
    const calls = readFileSync(join(folder, 'http'), 'utf8').trimEnd().split('\n');
    expect(calls.filter((line) => line === '/ready secret').length).toBeGreaterThan(1);
    expect(calls).toContain('/stopping secret');
  });

  it('takes containers that debug it, with an environment of their own', async () => {
    await kubectl.apply([pod('debugged', { containers: [shell('sleep 1000')] })]);
    await ready('debugged');
    await kubectl('create', 'configmap', 'given', '--from-literal=GIVEN=given');
    const script = 'echo $OWN $GIVEN; pwd; id -u; cat /proc/1/cmdline | tr "\\0" " "; echo done > /words';
    const ephemeralContainers = [
      {
        ...shell(script),
        name: 'debugger',
        targetContainerName: 'main',
        env: [{ name: 'OWN', value: 'own' }],
        envFrom: [{ configMapRef: { name: 'given' } }],
        workingDir: '/tmp',
        tty: true,
        stdin: true,
        stdinOnce: true,
        securityContext: { runAsUser: 0 },
        terminationMessagePath: '/words',
        terminationMessagePolicy: 'File',
      },
    ];
    const path = '/api/v1/namespaces/default/pods/debugged/ephemeralcontainers';
    const body = await kubectl.json<Pod>('get', 'pod', 'debugged');
    const file = join(cluster.directory, 'debugged.json');
    writeFileSync(file, JSON.stringify({ ...body, spec: { ...body.spec, ephemeralContainers } }));
    await kubectl('replace', '--raw', path, '-f', file);
    await eventually(async () => {
      const [debugging] = (await status('debugged')).ephemeralContainerStatuses ?? [];
      expect(debugging?.state?.terminated).toMatchObject({ exitCode: 0, message: 'done\n' });
    });
    const lines = (await kubectl('logs', 'debugged', '-c', 'debugger'))
      .split('\n')
      .map((line) => line.trim());
    expect(lines.slice(0, 4)).toEqual(['own given', '/tmp', '0', 'sleep 1000']);
  });

  it('is asked to stop with the signal that it names, where that feature is on', async () => {
    const wait = 'echo ready; while :; do sleep 0.1; done';
    const script = `trap 'echo got USR1 > /dev/termination-log; exit 3' USR1; trap 'exit 4' TERM; ${wait}`;
    const asked = (lifecycle: object, spec: object): object =>
      pod('asked', { ...spec, restartPolicy: 'Never', containers: [shell(script, { lifecycle })] });
    await expect(kubectl.apply([asked({ stopSignal: 'SIGUSR1' }, {})])).rejects.toThrow(
      'may not be set for containers with empty `spec.os.name`',
    );
    const linux = { os: { name: 'linux' }, activeDeadlineSeconds: 8 };
    await kubectl.apply([asked({ stopSignal: 'SIGUSR1' }, linux)]);
    await ready('asked');
    expect((await main('asked'))?.stopSignal).toBe('SIGUSR1');
    await phase('asked', 'Failed');
    expect((await main('asked'))?.state?.terminated).toMatchObject({ exitCode: 3, message: 'got USR1\n' });
  });

  it('has users of its own, to which the files of its volumes belong as they would without', async () => {
    const look =
      'cat /proc/self/uid_map; stat -L -c "%u:%g %a" /scratch /secret/key /etc/hosts; cat /secret/key; ls -ln /scratch';
    const security = { runAsUser: 1000, runAsGroup: 3000, procMount: 'Unmasked' };
    await kubectl.apply([
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'mapped' }, stringData: { key: 'word\n' } },
      ...['users', 'others'].map((name) =>
        pod(name, {
          hostUsers: false,
          securityContext: { fsGroup: 2000 },
          containers: [
            shell(`id -u; touch /scratch/mine; ${look}; sleep 1000`, {
              securityContext: security,
              volumeMounts: [
                { name: 'scratch', mountPath: '/scratch' },
                { name: 'secret', mountPath: '/secret' },
              ],
            }),
          ],
          volumes: [
            { name: 'scratch', emptyDir: {} },
            { name: 'secret', secret: { secretName: 'mapped', defaultMode: 0o440 } },
          ],
        }),
      ),
    ]);
    const ranges = await Promise.all(
      ['users', 'others'].map(async (name) => {
        await eventually(async () => expect(await kubectl('logs', name)).toContain('mine'));
        const [user, map = '', scratch, key, hosts, text, , file = ''] = (await kubectl('logs', name)).split(
          '\n',
        );
        expect({ user, scratch, key, hosts, text }).toEqual({
          user: '1000',
          scratch: '0:2000 2777',
          key: '0:2000 440',
          hosts: '0:0 644',
          text: 'word',
        });
        expect(file).toMatch(/ 1000 +2000 .* mine$/);
        const [inside, outside, count] = map.trim().split(/\s+/).map(Number);
        expect({ inside, count }).toEqual({ inside: 0, count: 65_536 });
        return outside;
      }),
    );
    expect(new Set(ranges).size).toBe(2);
    const { status: of } = await kubectl.json<Node>('get', 'node', cluster.name);
    expect(of?.runtimeHandlers?.[0]?.features?.userNamespaces).toBe(true);
  });

  it('is refused by a node that cannot hold it', async () => {
    const here = { nodeName: cluster.name };
    const asks = { resources: { requests: { cpu: '1000' } } };
    const appArmorProfile = { type: 'Localhost', localhostProfile: 'x' };
    await kubectl.apply([
      pod('too-big', { ...here, containers: [shell('true', asks)] }),
      pod('elsewhere', { ...here, nodeSelector: { nowhere: 'yes' }, containers: [shell('true')] }),
      pod('armoured', { ...here, securityContext: { appArmorProfile }, containers: [shell('true')] }),
      pod('windows', { ...here, os: { name: 'windows' }, containers: [shell('true')] }),
    ]);
    const refused = (name: string, reason: string, message: string): Promise<void> =>
      eventually(async () => {
        const found = await status(name);
        expect(found).toMatchObject({ phase: 'Failed', reason });
        expect(found.message).toContain(message);
      });
    await refused('too-big', 'OutOfcpu', "Node didn't have enough resource: cpu, requested: 1000000, used: ");
    await refused('elsewhere', 'NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
    await refused('armoured', 'AppArmor', 'AppArmor is not enabled on the host');
    await refused('windows', 'PodOSNotSupported', "the OS field doesn't match node OS");
  });

  it('waits and says so when it asks for what the node does not have', async () => {
    const resourceClaims = [{ name: 'gpu', resourceClaimName: 'none' }];
    const here = { nodeName: cluster.name };
    await kubectl.apply([
      pod('devices', { ...here, resourceClaims, containers: [shell('true')] }),
      pod('nfs', {
        ...here,
        volumes: [{ name: 'v', nfs: { server: 'localhost', path: '/' } }],
        containers: [shell('true')],
      }),
    ]);
    await eventually(async () => {
      expect(await eventOf('devices', 'FailedPrepareDynamicResources')).toContain('"none" not found');
      expect(await eventOf('nfs', 'FailedMount')).toContain('no volume plugin matched');
    });
  });
});
