import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import type { V1Status } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startKanoe } from './support/kanoe.ts';
import type { Workplace } from './support/kanoe.ts';
import { kubectlsBetween } from './support/kubectl.ts';
import type { Kubectl } from './support/kubectl.ts';
import { loadJavaScriptClient } from './support/javascript-client.ts';
import { describeWith, imageArchive } from './support/needs.ts';
import { run } from './support/run.ts';

const megabyte = 1 << 20;
const oneContainer = { image: 'docker.io/library/busybox:1.36', imagePullPolicy: 'IfNotPresent' } as const;

const server = `
const http = require('node:http');
http.createServer((request, response) => {
  if (request.url === '/big') return response.end(Buffer.alloc(${10 * megabyte}, 'kanoe '));
  let size = 0;
  request.on('data', (chunk) => (size += chunk.length));
  request.on('end', () => response.end(request.method + ' ' + request.url + ' ' + size));
}).listen(8080, '127.0.0.1', () => console.log('listening'));
`;

const pods = [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shell' },
    spec: {
      containers: [
        { ...oneContainer, name: 'main', command: ['sh', '-c', 'echo out; echo err >&2; exec sleep 100000'] },
        { ...oneContainer, name: 'side', command: ['sh', '-c', 'echo from the side; exec sleep 100000'] },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'counter' },
    spec: {
      containers: [
        {
          ...oneContainer,
          name: 'main',
          command: ['sh', '-c', 'i=0; while true; do i=$((i+1)); echo "line $i"; sleep 0.2; done'],
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'ends' },
    spec: {
      containers: [
        {
          ...oneContainer,
          name: 'main',
          command: [
            'sh',
            '-c',
            'test -e /state/ran && echo second || echo first; touch /state/ran; test $(wc -l < /state/count) -ge 1 && exec sleep 100000; echo x >> /state/count; exit 3',
          ],
          volumeMounts: [{ name: 'state', mountPath: '/state' }],
        },
      ],
      initContainers: [
        {
          ...oneContainer,
          name: 'init',
          command: ['sh', '-c', 'echo from init; : > /state/count'],
          volumeMounts: [{ name: 'state', mountPath: '/state' }],
        },
      ],
      volumes: [{ name: 'state', emptyDir: {} }],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'echo' },
    spec: {
      containers: [
        {
          ...oneContainer,
          name: 'main',
          stdin: true,
          command: ['sh', '-c', 'while read line; do echo "got $line"; done'],
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'kanoe.local/node',
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', server],
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: {
            exec: { command: ['node', '-e', 'fetch("http://127.0.0.1:8080").catch(() => process.exit(1))'] },
            periodSeconds: 1,
          },
        },
      ],
    },
  },
];

describeWith({ root: true, kubectl: true, images: ['busybox'], tools: ['script'] }, 'streams', () => {
  let cluster: Workplace;

  beforeAll(async () => {
    cluster = await startKanoe(['--load', imageArchive('busybox')]);
    const kubectl = cluster.kubectl();
    await kubectl.apply(pods);
    await kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s');
  });
  afterAll(() => cluster?.stop());

  for (const program of kubectlsBetween(27, 99)) {
    describe(`with kubectl ${program.version}`, () => {
      let kubectl: Kubectl;
      beforeAll(() => {
        kubectl = cluster.kubectl(program);
      });

      it('shows logs of a container, of all, of an earlier one, and the newest lines', async () => {
        expect(await kubectl('logs', 'shell', '-c', 'main')).toMatch(/^(out\nerr|err\nout)\n$/);
        expect(await kubectl('logs', 'shell', '--all-containers', '--prefix')).toContain(
          '[pod/shell/side] from the side',
        );
        expect(await kubectl('logs', 'ends', '-c', 'init')).toBe('from init\n');
        await eventually(async () => expect(await kubectl('logs', 'ends')).toBe('second\n'));
        expect(await kubectl('logs', 'ends', '--previous')).toBe('first\n');
        const lines = (await kubectl('logs', 'counter', '--tail=2'))
          .trimEnd()
          .split('\n')
          .map((line) => Number(line.slice(5)));
        expect(lines[1]).toBe((lines[0] ?? 0) + 1);
        const stamped = await kubectl('logs', 'counter', '--timestamps', '--tail=1');
        expect(stamped).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z line \d+\n$/);
        const stamps = async (...args: readonly string[]): Promise<readonly number[]> =>
          (await kubectl('logs', 'counter', '--timestamps', ...args))
            .trimEnd()
            .split('\n')
            .map((line) => Date.parse(line.split(' ')[0] ?? ''));
        const begun = Date.now();
        const recent = await stamps('--since=1s');
        const ended = Date.now();
        expect(recent.filter((stamp) => stamp < begun - 1_000)).toEqual([]);
        const expected = (await stamps()).filter((stamp) => stamp >= ended - 1_000 && stamp < begun);
        expect(recent).toEqual(expect.arrayContaining(expected));
        expect(await kubectl('logs', 'shell', '-c', 'side', '--limit-bytes=4')).toBe('from');
        const missing = await kubectl.try(['logs', 'shell', '-c', 'none']);
        expect(missing.code).toBe(1);
        expect(missing.stderr).toMatch(/container none is not valid for pod shell/);
      });

      it('follows a log', async () => {
        const follow = kubectl.start('logs', '-f', '--tail=1', 'counter');
        const first = Number((await follow.printed(/line (\d+)\n/))[1]);
        expect(first).toBeGreaterThan(0);
        await follow.printed(
          new RegExp(`line ${first}\nline ${first + 1}\nline ${first + 2}\nline ${first + 3}\n`),
        );
        await follow.stop();
      });

      it('runs commands: standard input, output and error, and their exit codes', async () => {
        const both = await kubectl.try([
          'exec',
          'shell',
          '-c',
          'main',
          '--',
          'sh',
          '-c',
          'echo out; echo err >&2; exit 42',
        ]);
        expect(both.stdout).toBe('out\n');
        expect(both.stderr).toBe('err\ncommand terminated with exit code 42\n');
        expect(both.code).toBe(42);
        const counted = await kubectl.withInput(
          'a'.repeat(megabyte),
          'exec',
          '-i',
          'shell',
          '-c',
          'main',
          '--',
          'wc',
          '-c',
        );
        expect(counted.trim()).toBe(String(megabyte));
        const absent = await kubectl.try(['exec', 'shell', '-c', 'main', '--', 'no-such-command']);
        expect(absent.code).toBe(1);
        expect(absent.stderr).toContain('exec: "no-such-command": executable file not found in $PATH');
      });

      it('carries 20 MB of output unharmed', async () => {
        const script = 'i=0; while [ $i -lt 20 ]; do cat /tmp/block; i=$((i+1)); done';
        await kubectl(
          'exec',
          'shell',
          '-c',
          'main',
          '--',
          'sh',
          '-c',
          `test -e /tmp/block || head -c ${megabyte} /dev/urandom > /tmp/block`,
        );
        const block = await kubectl.bytes(['exec', 'shell', '-c', 'main', '--', 'cat', '/tmp/block']);
        const { stdout, code, stderr } = await kubectl.bytes([
          'exec',
          'shell',
          '-c',
          'main',
          '--',
          'sh',
          '-c',
          script,
        ]);
        expect({ code, stderr, size: stdout.length }).toEqual({ code: 0, stderr: '', size: 20 * megabyte });
        const expected = createHash('sha256');
        for (let round = 0; round < 20; round += 1) expected.update(block.stdout);
        expect(createHash('sha256').update(stdout).digest('hex')).toBe(expected.digest('hex'));
      });

      it('gives a terminal of its own size', async () => {
        const command = [...kubectl.command, 'exec', '-it', 'shell', '-c', 'main', '--', 'sh'].join(' ');
        const { stdout, code } = await run(
          'script',
          ['-qec', `stty rows 33 cols 99; ${command}`, '/dev/null'],
          {
            input:
              'test -t 0 && echo is-a-"terminal"\nuntil [ "$(stty size)" = "33 99" ]; do sleep 0.1; done; echo size-$(stty size)\nexit 5\n',
            timeoutMs: 30_000,
          },
        );
        expect(stdout).toContain('is-a-terminal');
        expect(stdout).toContain('size-33 99');
        expect(code).toBe(5);
      });

      it('attaches to what runs', async () => {
        const attached = kubectl.start('attach', '-i', 'echo');
        const word = `v${program.version}`;
        attached.process.stdin.write(`${word}\n`);
        expect(await attached.printed(new RegExp(`got ${word}\n`))).toBeTruthy();
        await attached.stop();
      });

      it('forwards a port: several calls at once, and 10 MB', async () => {
        const forward = kubectl.start('port-forward', 'pod/web', ':http');
        try {
          const port = (await forward.printed(/Forwarding from 127\.0\.0\.1:(\d+) -> 8080/))[1];
          const url = `http://127.0.0.1:${port}`;
          const answers = await Promise.all(
            ['a', 'b', 'c'].map(async (name) =>
              (await fetch(`${url}/${name}`, { method: 'POST', body: 'x'.repeat(100_000) })).text(),
            ),
          );
          expect(answers).toEqual(['POST /a 100000', 'POST /b 100000', 'POST /c 100000']);
          const big = Buffer.from(await (await fetch(`${url}/big`)).arrayBuffer());
          expect(big.equals(Buffer.alloc(10 * megabyte, 'kanoe '))).toBe(true);
        } finally {
          await forward.stop();
        }
      });

      it('copies files in and out', async () => {
        const folder = join(cluster.directory, `cp-${program.version}`);
        mkdirSync(folder);
        await kubectl('cp', `${import.meta.dirname}/support`, `shell:/tmp/${program.version}`, '-c', 'main');
        await kubectl('cp', `shell:/tmp/${program.version}`, folder, '-c', 'main');
        expect((await run('diff', ['-r', `${import.meta.dirname}/support`, folder])).code).toBe(0);
      });
    });
  }

  it('answers the JavaScript client', async () => {
    const { Exec, KubeConfig } = await loadJavaScriptClient();
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const status = await new Promise<V1Status>((resolve, reject) => {
      new Exec(config)
        .exec(
          'default',
          'shell',
          'main',
          ['sh', '-c', 'echo out; echo err >&2; exit 7'],
          stdout,
          stderr,
          null,
          false,
          resolve,
        )
        .catch(reject);
    });
    expect(String(stdout.read())).toBe('out\n');
    expect(String(stderr.read())).toBe('err\n');
    expect(status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    });
  });

  it('debugs a container from inside', async () => {
    const { stdout } = await cluster
      .kubectl()
      .try(
        [
          'debug',
          'web',
          '-i',
          '--image=docker.io/library/busybox:1.36',
          '--image-pull-policy=IfNotPresent',
          '--target=main',
          '--container=debug',
          '--',
          'sh',
        ],
        { input: 'ps -o args; wget -qO- http://127.0.0.1:8080; exit 4\n' },
      );
    expect(stdout).toContain('node -e');
    const state = [
      'get',
      'pod',
      'web',
      '-o',
      'jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}',
    ];
    await expect.poll(() => cluster.kubectl()(...state)).toBe('4');
    expect(await cluster.kubectl()('logs', 'web', '-c', 'debug')).toContain('node -e');
  });

  it('leaves it to the status of a pod how it ended', async () => {
    const { code, stdout, stderr } = await cluster
      .kubectl()
      .try(
        [
          'run',
          'fails',
          '-i',
          '--rm',
          '--restart=Never',
          '--image=docker.io/library/busybox:1.36',
          '--image-pull-policy=IfNotPresent',
          '--',
          'sh',
          '-c',
          'read line; echo "got $line"; exit 9',
        ],
        { input: 'this\n' },
      );
    expect({ code, got: stdout.match(/got this/g) }).toEqual({ code: 9, got: ['got this'] });
    expect(stderr).toContain('pod default/fails terminated (Error)');
    expect(stderr).not.toContain("couldn't attach");
  });

  it('runs a pod attached and takes it away (kubectl run --rm)', async () => {
    for (const program of kubectlsBetween(27, 99)) {
      const name = `once-${program.version.replace('.', '-')}`;
      const text = await cluster
        .kubectl(program)
        .withInput(
          'three\n',
          'run',
          name,
          '-i',
          '--rm',
          '--quiet',
          '--restart=Never',
          '--image=docker.io/library/busybox:1.36',
          '--image-pull-policy=IfNotPresent',
          '--',
          'cat',
        );
      expect(text).toContain('three\n');
      expect((await cluster.kubectl().try(['get', 'pod', name])).stderr).toContain('NotFound');
    }
  });
});
