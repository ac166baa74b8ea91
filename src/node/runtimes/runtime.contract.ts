import { execFileSync } from 'node:child_process';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerStatus,
  type ExecSession,
  type SandboxSpec,
} from '../container-runtime.ts';
import type { Image, ImageService } from '../image-service.ts';
import { containerSpec as defaultContainerSpec, sandboxSpec } from './runtime-specs.ts';

/** One implementation under test. */
export interface RuntimeSubject {
  readonly name: string;
  /** Why it cannot be tried on this machine. */
  readonly skip?: string;
  /** Makes a runtime on the folder; called again on the same folder after the first has been closed. */
  create(folder: string, images: ImageService): Promise<ContainerRuntime>;
  /** Removes what is left of the folder's runtimes, without any of them. */
  purge(folder: string): Promise<void>;
  /** What is still on the machine: mounts, cgroups, processes. */
  leftovers(folder: string): readonly string[];
  readonly image: Image;
  /** The same image with the user `www-data`; default: one that only the image service tells apart. */
  readonly namedUserImageId?: string;
  /** Network links of a pod; default: `lo` alone. */
  readonly links?: readonly string[];
  /** Whether a container's process is there, asked without the runtime; default: by its id in the process list. */
  runs?(containerId: string): boolean;
  /** A handler of RuntimeClasses that is not the usual one. */
  readonly handler?: string;
  readonly features: ReadonlySet<Feature>;
}

type Declare = (title: string, body: () => void | Promise<void>) => void;
const undeclared: Declare = () => undefined;

/** `sys`: privileged containers may write to /sys (containerd 1.6 mounts it for the sandbox first, read-only). */
type Feature = 'isolation' | 'limits' | 'adoption' | 'terminal' | 'sys' | 'handlers' | 'users';

const waitMs = 10_000;

/** Some launchers lose the end of about one in a hundred. */
const terminalRounds = 10;

export function runtimeContract(subject: RuntimeSubject): void {
  const suite = subject.skip === undefined ? describe : describe.skip;
  const name = subject.skip === undefined ? subject.name : `${subject.name} (skipped: ${subject.skip})`;
  suite(`container runtime ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'kanoe-runtime-'));
    const namedUser = subject.namedUserImageId ?? 'sha256:named-user';
    const images = imagesOf(subject.image, namedUser);
    const has = (feature: Feature): boolean => subject.features.has(feature);
    /** What only runtimes with a feature promise; for the others there is nothing to declare. */
    const itWith = (feature: Feature): Declare => (has(feature) ? it : undeclared);
    const describeWith = (feature: Feature): Declare => (has(feature) ? describe : undeclared);
    let runtime: ContainerRuntime;
    let sandbox = '';
    let serial = 0;

    beforeAll(async () => {
      runtime = await subject.create(folder, images);
      sandbox = (await runtime.runSandbox(sandboxSpec())).id;
    });

    afterAll(async () => {
      await runtime.close();
      await subject.purge(folder);
      const left = subject.leftovers(folder);
      rmSync(folder, { recursive: true, force: true });
      expect(left).toEqual([]);
    });

    function containerSpec(script: string, changes: Partial<ContainerSpec> = {}): ContainerSpec {
      serial += 1;
      return {
        ...defaultContainerSpec(join(folder, `${serial}.log`)),
        name: `c${serial}`,
        imageId: subject.image.id,
        command: ['sh', '-c', script],
        ...changes,
      };
    }

    async function run(script: string, changes: Partial<ContainerSpec> = {}): Promise<string> {
      const id = await runtime.createContainer(sandbox, containerSpec(script, changes));
      await runtime.startContainer(id);
      return id;
    }

    async function finished(id: string): Promise<ContainerStatus> {
      return awaitStatus(runtime, id, (status) => status.state === 'exited');
    }

    async function logOf(id: string): Promise<readonly string[]> {
      const status = await runtime.containerStatus(id);
      return readFileSync(status?.logPath ?? '', 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(line.indexOf(' ') + 1));
    }

    async function execute(
      id: string,
      command: readonly string[],
      input?: string,
    ): Promise<[number, string, string]> {
      const session = await runtime.exec(id, { command, tty: false, stdin: input !== undefined });
      const out = text(session.stdout);
      const err = session.stderr ? text(session.stderr) : Promise.resolve('');
      session.stdin?.end(input);
      return [await session.exited, await out, await err];
    }

    it('reports the sandbox it made', async () => {
      const listed = await runtime.listSandboxes();
      expect(listed).toHaveLength(1);
      expect(listed[0]).toMatchObject({
        id: sandbox,
        podUid: 'uid-1',
        podName: 'web',
        ready: true,
        attempt: 0,
      });
    });

    it('goes from created to running to exited and keeps the exit code', async () => {
      const seen: string[] = [];
      const subscription = runtime.onContainerEvent((status) => seen.push(status.state));
      const id = await runtime.createContainer(sandbox, containerSpec('sleep 0.2; exit 3'));
      expect(await runtime.containerStatus(id)).toMatchObject({ state: 'created', name: `c${serial}` });
      await runtime.startContainer(id);
      const status = await finished(id);
      expect(status).toMatchObject({ state: 'exited', exitCode: 3, reason: 'Error' });
      expect(status.startedAt).toBeLessThanOrEqual(status.finishedAt ?? 0);
      expect(seen).toEqual(['running', 'exited']);
      subscription.close();
    });

    it('calls an exit code of zero completed', async () => {
      expect(await finished(await run('exit 0'))).toMatchObject({ exitCode: 0, reason: 'Completed' });
    });

    it('refuses a command that does not exist', async () => {
      const id = await runtime.createContainer(sandbox, containerSpec('', { command: ['no-such-command'] }));
      const failure = await runtime.startContainer(id).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RuntimeError);
      expect(failure).toMatchObject({ code: 'START_FAILED' });
      expect(String(failure)).toContain('exec: "no-such-command": executable file not found in $PATH');
      expect(await runtime.containerStatus(id)).toMatchObject({
        state: 'exited',
        reason: 'ContainerCannotRun',
      });
    });

    it('writes both streams in CRI format, the unfinished last line as a partial one', async () => {
      const id = await run('echo one; echo two >&2; printf three');
      await finished(id);
      expect((await logOf(id)).toSorted()).toEqual(['stderr F two', 'stdout F one', 'stdout P three']);
    });

    it('uses the image and the pod for environment, arguments and working directory', async () => {
      const id = await run('', {
        command: ['sh', '-c'],
        args: ['echo "$A $B $0"; pwd', 'zero'],
        env: [{ name: 'B', value: 'pod' }],
        workingDir: '/tmp',
      });
      await finished(id);
      expect(await logOf(id)).toEqual(['stdout F image pod zero', 'stdout F /tmp']);
    });

    it('asks with the stop signal first and kills after the grace period', async () => {
      const polite = await run('trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done');
      await awaitLog(runtime, polite, 'ready');
      await runtime.stopContainer(polite, 5000);
      expect(await runtime.containerStatus(polite)).toMatchObject({ state: 'exited', exitCode: 7 });
      const deaf = await run('trap "" TERM; echo ready; while :; do sleep 0.05; done');
      await awaitLog(runtime, deaf, 'ready');
      await runtime.stopContainer(deaf, 100);
      expect(await runtime.containerStatus(deaf)).toMatchObject({ state: 'exited', exitCode: 137 });
    });

    it('uses the stop signal that the container asks for', async () => {
      const id = await run('trap "exit 9" QUIT; echo ready; while :; do sleep 0.05; done', {
        stopSignal: 'SIGQUIT',
      });
      await awaitLog(runtime, id, 'ready');
      await runtime.stopContainer(id, 5000);
      expect(await runtime.containerStatus(id)).toMatchObject({ exitCode: 9 });
    });

    it('shows a volume inside', async () => {
      const volume = join(folder, `volume${serial}`);
      mkdirSync(volume);
      writeFileSync(join(volume, 'greeting'), 'hello');
      const id = await run('cat ${DATA:-/data}/greeting; echo written > ${DATA:-/data}/answer', {
        mounts: [{ hostPath: volume, containerPath: '/data', readOnly: false }],
        env: has('isolation') ? [] : [{ name: 'DATA', value: volume }],
      });
      expect(await finished(id)).toMatchObject({ exitCode: 0 });
      expect(readFileSync(join(volume, 'answer'), 'utf8')).toBe('written\n');
    });

    describe('exec', () => {
      let id = '';
      beforeAll(async () => {
        id = await run('while :; do sleep 1; done');
      });
      afterAll(() => runtime.removeContainer(id));

      it('gives output, error output and the exit code', async () => {
        expect(await execute(id, ['sh', '-c', 'echo out; echo err >&2; exit 5'])).toEqual([
          5,
          'out\n',
          'err\n',
        ]);
      });

      it('passes input on and its end', async () => {
        expect(await execute(id, ['cat'], 'typed')).toEqual([0, 'typed', '']);
      });

      it('kills the command when it is aborted', async () => {
        const controller = new AbortController();
        const session = await runtime.exec(id, {
          command: ['sh', '-c', 'echo started; sleep 1000'],
          tty: false,
          stdin: false,
          signal: controller.signal,
        });
        await waitFor(session.stdout, 'started');
        controller.abort();
        expect(await session.exited).toBe(137);
      });

      it('refuses a container that does not run', async () => {
        const done = await run('exit 0');
        await finished(done);
        const failure = runtime.exec(done, { command: ['true'], tty: false, stdin: false });
        await expect(failure).rejects.toMatchObject({ code: 'NOT_RUNNING' });
      });

      itWith('terminal')(
        'gives a terminal of the size asked for, from the start and at any later time',
        async () => {
          const resized = async (waitMs: number): Promise<void> => {
            const session = await runtime.exec(id, { command: ['sh'], tty: true, stdin: true });
            const awaiting = (size: string, then: string): string =>
              `until [ "$(stty size 2> /dev/null)" = "${size}" ]; do sleep 0.02; done; ${then}\n`;
            session.stdin?.write(awaiting('33 101', 'echo "now"-smaller'));
            session.stdin?.write(awaiting('20 80', 'echo "sized"-twice; exit 4'));
            const output = text(session.stdout);
            await delay(waitMs);
            session.resize(102, 34);
            session.resize(101, 33);
            await waitFor(session.stdout, 'now-smaller');
            session.resize(80, 20);
            expect(await session.exited).toBe(4);
            expect(await output).toContain('sized-twice');
          };
          for (const waitMs of [0, 8, 16, 24, 200]) await resized(waitMs);
        },
      );
    });

    describe('attach', () => {
      it('follows the output and feeds the input, whose end is passed on when it is to be used once', async () => {
        const id = await run('echo up; while read line; do echo "got $line"; done; echo end; exit 6', {
          stdin: true,
          stdinOnce: true,
        });
        await awaitLog(runtime, id, 'up');
        const session = await runtime.attach(id, { tty: false, stdin: true });
        const output = text(session.stdout);
        session.stdin?.write('first\n');
        await awaitLog(runtime, id, 'got first');
        session.stdin?.end('second\n');
        expect(await session.exited).toBe(6);
        expect(await output).toBe('got first\ngot second\nend\n');
      });

      itWith('terminal')('reaches the terminal of the main process', async () => {
        const id = await run(
          'test -t 0 && echo terminal; read line; while [ "$(stty size)" != "20 90" ]; do sleep 0.02; done; stty size; exit 8',
          {
            tty: true,
            stdin: true,
          },
        );
        await awaitLog(runtime, id, 'terminal');
        const session: ExecSession = await runtime.attach(id, { tty: true, stdin: true });
        session.resize(90, 20);
        const output = text(session.stdout);
        session.stdin?.write('go\n');
        expect(await session.exited).toBe(8);
        expect(await output).toContain('20 90');
      });
    });

    itWith('terminal')('keeps all that is written to a terminal, however soon its program ends', async () => {
      const script = 'i=0; while [ $i -lt 60 ]; do echo line $i; i=$((i + 1)); done';
      const lines = Array.from({ length: 60 }, (_, index) => `line ${index}`);
      const main = await run('exec sleep 1000');
      for (let round = 0; round < terminalRounds; round += 1) {
        const id = await run(script, { tty: true });
        const session = await runtime.exec(main, { command: ['sh', '-c', script], tty: true, stdin: false });
        const output = text(session.stdout);
        expect(await session.exited).toBe(0);
        expect((await output).trimEnd().split('\r\n')).toEqual(lines);
        await finished(id);
        expect((await logOf(id)).map((line) => line.replace(/^stdout F |\r$/g, ''))).toEqual(lines);
        await runtime.removeContainer(id);
      }
      await runtime.stopContainer(main, 0);
    });

    describeWith('isolation')('isolation', () => {
      it('has its own root, processes, network and host name', async () => {
        const id = await run(
          'echo pid $$; hostname; ls /proc | grep -c "^[0-9]"; ls -d /work /root/.pyenv 2>/dev/null; ls /sys/class/net',
        );
        await finished(id);
        const log = await logOf(id);
        expect(log.slice(0, 2)).toEqual(['stdout F pid 1', 'stdout F web-host']);
        expect(Number(log[2]?.split(' ')[2])).toBeLessThan(6);
        expect(log.slice(3)).toEqual((subject.links ?? ['lo']).map((link) => `stdout F ${link}`));
      });

      it('runs as the user asked for, without more rights than allowed', async () => {
        const id = await run(
          'id -u; id -g; id -G; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status; pwd',
          {
            security: {
              ...containerSpec('').security,
              runAsUser: 1000,
              runAsGroup: 2000,
              supplementalGroups: [3000],
              allowPrivilegeEscalation: false,
              dropCapabilities: ['NET_RAW'],
            },
          },
        );
        await finished(id);
        const log = (await logOf(id)).map((line) => line.slice('stdout F '.length));
        expect(log.slice(0, 3)).toEqual(['1000', '2000', '2000 3000']);
        expect(log).toContain('CapEff:\t0000000000000000');
        expect(log).toContain('NoNewPrivs:\t1');
        const bounding = Number.parseInt(
          log.find((line) => line.startsWith('CapBnd'))?.split('\t')[1] ?? '',
          16,
        );
        expect(bounding & (1 << 13)).toBe(0);
        expect(bounding & (1 << 18)).not.toBe(0);
      });

      it('resolves the user in the passwd file of the image', async () => {
        const id = await run('id -u', { imageId: namedUser });
        await finished(id);
        expect(await logOf(id)).toEqual(['stdout F 33']);
      });

      it('keeps a read-only root read-only, and volumes read-only where asked', async () => {
        const volume = join(folder, `readonly${serial}`);
        mkdirSync(volume);
        const id = await run(
          'touch /x 2>/dev/null || echo root; touch /data/x 2>/dev/null || echo volume; touch /dev/shm/x && echo shm',
          {
            security: { ...containerSpec('').security, readOnlyRootFilesystem: false },
            mounts: [{ hostPath: volume, containerPath: '/data', readOnly: true }],
          },
        );
        await finished(id);
        expect(await logOf(id)).toEqual(['stdout F volume', 'stdout F shm']);
        const locked = await run('touch /x 2>/dev/null || echo root', {
          security: { ...containerSpec('').security, readOnlyRootFilesystem: true },
        });
        await finished(locked);
        expect(await logOf(locked)).toEqual(['stdout F root']);
      });

      it('does not see into links of the image when it mounts', async () => {
        const volume = join(folder, `linked${serial}`);
        mkdirSync(volume);
        writeFileSync(join(volume, 'token'), 'secret');
        const id = await run('cat /run/secrets/token', {
          mounts: [{ hostPath: volume, containerPath: '/var/run/secrets', readOnly: true }],
        });
        await finished(id);
        expect(await logOf(id)).toEqual(['stdout P secret']);
      });

      it('limits devices, and hides parts of proc', async () => {
        const id = await run(
          'mknod /tmp/d b 254 0; cat /tmp/d 2>&1 | head -c 60; wc -c < /proc/keys; echo x > /dev/null && echo null',
        );
        await finished(id);
        const log = await logOf(id);
        expect(log.at(-1)).toBe('stdout F null');
        expect(log.join()).toMatch(/not permitted|No such device/);
      });

      it('reaches a port of the pod on its 127.0.0.1', async () => {
        const id = await run('echo ready; nc -l -p 8080 -e cat');
        await awaitLog(runtime, id, 'ready');
        const connection = await eventually(() => runtime.connectPort(sandbox, 8080));
        connection.write('ping\n');
        await waitFor(connection, 'ping');
        connection.destroy();
        await expect(runtime.connectPort(sandbox, 9)).rejects.toMatchObject({ name: 'RuntimeError' });
        await runtime.removeContainer(id);
      });

      it('gives the namespaces of the machine to a pod that asks for them', async () => {
        const spec: SandboxSpec = {
          ...sandboxSpec(),
          podUid: 'uid-host',
          hostNetwork: true,
          hostPID: true,
          hostIPC: true,
        };
        const { id: host, ip } = await runtime.runSandbox(spec);
        expect(ip).toBeUndefined();
        const id = await runtime.createContainer(
          host,
          containerSpec('for kind in net pid ipc uts mnt; do readlink /proc/self/ns/$kind; done', {
            security: { ...containerSpec('').security, privileged: true },
          }),
        );
        await runtime.startContainer(id);
        expect(await finished(id)).toMatchObject({ exitCode: 0 });
        const log = (await logOf(id)).map((line) => line.slice('stdout F '.length));
        const own = ['net', 'pid', 'ipc', 'uts', 'mnt'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
        expect(log.slice(0, 4)).toEqual(own.slice(0, 4));
        expect(log[4]).not.toBe(own[4]);
        await runtime.removeSandbox(host);
      });

      it('gives a privileged container devices, capabilities and a writable /sys', async () => {
        const { id: privileged } = await runtime.runSandbox({
          ...sandboxSpec(),
          podUid: 'uid-privileged',
          privileged: true,
        });
        const id = await runtime.createContainer(
          privileged,
          containerSpec('grep CapEff /proc/self/status; mount | grep -c "sysfs.*rw"; ls /dev/kmsg', {
            security: { ...containerSpec('').security, privileged: true },
          }),
        );
        await runtime.startContainer(id);
        await finished(id);
        const own = /^CapEff:.*$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[0] ?? '';
        expect(await logOf(id)).toEqual([
          `stdout F ${own}`,
          `stdout F ${has('sys') ? 1 : 0}`,
          'stdout F /dev/kmsg',
        ]);
        await runtime.removeSandbox(privileged);
      });

      it('shares processes in a pod that asks for it', async () => {
        const { id: shared } = await runtime.runSandbox({
          ...sandboxSpec(),
          podUid: 'uid-shared',
          shareProcessNamespace: true,
        });
        const first = await runtime.createContainer(shared, containerSpec('exec sleep 1000'));
        await runtime.startContainer(first);
        const second = await runtime.createContainer(shared, containerSpec('ps | grep -c "[s]leep 1000"'));
        await runtime.startContainer(second);
        await finished(second);
        expect(await logOf(second)).toEqual(['stdout F 1']);
        await runtime.removeSandbox(shared);
      });
    });

    describeWith('limits')('limits', () => {
      it('says so when memory ran out', async () => {
        const id = await run('x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done', {
          resources: { memoryLimitBytes: 24 * 1024 * 1024, oomScoreAdj: 900 },
        });
        expect(await finished(id)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
      });

      it('measures usage and changes limits while it runs', async () => {
        const id = await run('while :; do :; done', {
          resources: { memoryLimitBytes: 64 * 1024 * 1024, cpuShares: 64 },
        });
        await awaitValue(async () => ((await runtime.stats(id))?.cpuNanoseconds ?? 0) > 10_000_000);
        const stats = await runtime.stats(id);
        expect(stats?.memoryWorkingSetBytes).toBeGreaterThan(10_000);
        expect(stats?.memoryUsageBytes).toBeLessThan(64 * 1024 * 1024);
        await runtime.updateResources(id, {
          memoryLimitBytes: 32 * 1024 * 1024,
          cpuQuota: 20_000,
          cpuPeriod: 100_000,
        });
        await runtime.removeContainer(id);
        expect(await runtime.containerStatus(id)).toBeUndefined();
      });
    });

    describeWith('adoption')('a second agent', () => {
      it('takes over what runs, and learns what ended meanwhile with its output', async () => {
        const lives = await run(
          'echo before; while [ ! -e /data/go ]; do sleep 0.02; done; echo after; sleep 1000',
          {
            mounts: [{ hostPath: folder, containerPath: '/data', readOnly: true }],
          },
        );
        const ends = await run('while [ ! -e /data/go ]; do sleep 0.02; done; echo last words; exit 11', {
          mounts: [{ hostPath: folder, containerPath: '/data', readOnly: true }],
        });
        await awaitLog(runtime, lives, 'before');
        const before = await runtime.containerStatus(lives);
        await runtime.close();
        writeFileSync(join(folder, 'go'), '');
        await awaitValue(async () => !(subject.runs ?? processRuns)(ends));
        runtime = await subject.create(folder, images);
        expect(await runtime.containerStatus(ends)).toMatchObject({ state: 'exited', exitCode: 11 });
        expect(await logOf(ends)).toEqual(['stdout F last words']);
        expect(await runtime.containerStatus(lives)).toMatchObject({ state: 'running', pid: before?.pid });
        await awaitLog(runtime, lives, 'after');
        expect(await execute(lives, ['echo', 'again'])).toEqual([0, 'again\n', '']);
        await runtime.stopContainer(lives, 0);
        expect(await runtime.containerStatus(lives)).toMatchObject({ state: 'exited', exitCode: 137 });
      });
    });

    itWith('handlers')('refuses a way of running containers that it does not know', async () => {
      const asked = runtime.runSandbox({
        ...sandboxSpec(),
        podUid: 'uid-unknown',
        runtimeHandler: 'no-such',
      });
      await expect(asked).rejects.toThrow('no runtime for "no-such" is configured');
    });

    itWith('handlers')('runs containers in the way that the sandbox asks for', async () => {
      const { id: other } = await runtime.runSandbox({
        ...sandboxSpec(),
        podUid: 'uid-handler',
        runtimeHandler: subject.handler ?? '',
      });
      const id = await runtime.createContainer(other, containerSpec('echo here; sleep 1000'));
      await runtime.startContainer(id);
      await awaitLog(runtime, id, 'here');
      expect(await execute(id, ['echo', 'there'])).toEqual([0, 'there\n', '']);
      await runtime.removeSandbox(other);
    });

    describeWith('users')('users of its own', () => {
      const asRoot =
        'cat /proc/self/uid_map /proc/self/gid_map; stat -c "%u:%g" / /data /data/theirs /etc/passwd';
      const first = (log: readonly string[]): number => Number(log[0]?.split(/\s+/).at(-2));
      let own = '';
      let data = '';

      async function runOwn(script: string, changes: Partial<ContainerSpec> = {}): Promise<string> {
        const mounts = [{ hostPath: data, containerPath: '/data', readOnly: false }];
        const id = await runtime.createContainer(own, containerSpec(script, { mounts, ...changes }));
        await runtime.startContainer(id);
        return id;
      }

      beforeAll(async () => {
        data = mkdtempSync(join(folder, 'data-'));
        writeFileSync(join(data, 'theirs'), 'text');
        chownSync(join(data, 'theirs'), 1000, 2000);
        const spec = {
          ...sandboxSpec(),
          podUid: 'uid-users',
          userNamespace: true,
          shareProcessNamespace: true,
        };
        own = (await runtime.runSandbox(spec)).id;
      });

      afterAll(() => runtime.removeSandbox(own));

      it('maps 65536 ids and shows files with the owners that they have', async () => {
        const id = await runOwn(
          `${asRoot}; echo x > /data/new; echo y > /etc/new; echo z > /dev/stdout; hostname`,
        );
        expect(await finished(id)).toMatchObject({ exitCode: 0 });
        const log = await logOf(id);
        expect(log[0]).toMatch(/^stdout F +0 +\d+ +65536$/);
        expect(first(log)).toBeGreaterThanOrEqual(65_536);
        expect(log.slice(1)).toEqual([
          log[0],
          'stdout F 0:0',
          'stdout F 0:0',
          'stdout F 1000:2000',
          'stdout F 0:0',
          'stdout F z',
          'stdout F web-host',
        ]);
        expect(statSync(join(data, 'new'))).toMatchObject({ uid: 0, gid: 0 });
      });

      it('runs processes that are nobody on the machine, whatever user they are', async () => {
        const id = await runOwn('id -u; touch /tmp/mine; stat -c %u /tmp/mine; sleep 1000', {
          security: { ...defaultContainerSpec('').security, runAsUser: 0 },
        });
        await awaitLog(runtime, id, '0');
        const { pid } = (await runtime.containerStatus(id)) ?? {};
        const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
        expect(uid).toBeGreaterThanOrEqual(65_536);
        expect(await execute(id, ['id', '-u'])).toEqual([0, '0\n', '']);
        expect(await execute(id, ['cat', '/proc/1/comm'])).toEqual([0, 'sh\n', '']);
        await runtime.stopContainer(id, 0);
      });

      it('gives no two sandboxes the same ids, and a sandbox the same ones later', async () => {
        const before = first(await ids());
        await runtime.close();
        runtime = await subject.create(folder, images);
        expect(first(await ids())).toBe(before);
        const spec = { ...sandboxSpec(), podUid: 'uid-others', userNamespace: true };
        const { id: other } = await runtime.runSandbox(spec);
        const id = await runtime.createContainer(other, containerSpec('cat /proc/self/uid_map'));
        await runtime.startContainer(id);
        await finished(id);
        expect(first(await logOf(id))).not.toBe(before);
        await runtime.removeSandbox(other);
      });

      async function ids(): Promise<readonly string[]> {
        const id = await runOwn('cat /proc/self/uid_map');
        await finished(id);
        return logOf(id);
      }
    });

    it('stops and removes a sandbox with everything in it, twice if need be', async () => {
      const own = (await runtime.runSandbox({ ...sandboxSpec(), podUid: 'uid-2' })).id;
      const id = await runtime.createContainer(own, containerSpec('sleep 1000'));
      await runtime.startContainer(id);
      await runtime.stopSandbox(own);
      expect(await runtime.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 137 });
      expect((await runtime.listSandboxes()).find((status) => status.id === own)).toMatchObject({
        ready: false,
      });
      await runtime.removeSandbox(own);
      await runtime.removeSandbox(own);
      expect((await runtime.listSandboxes()).map((status) => status.id)).not.toContain(own);
      expect(await runtime.listContainers(own)).toEqual([]);
    });

    it('leaves nothing when it is purged while containers run', async () => {
      await run('sleep 1000');
      await runtime.close();
      await subject.purge(folder);
      await subject.purge(folder);
      expect(subject.leftovers(folder)).toEqual([]);
      runtime = await subject.create(folder, images);
      expect(await runtime.listSandboxes()).toEqual([]);
    });
  });
}

function imagesOf(image: Image, namedUser: string): ImageService {
  const all = [image, { ...image, id: namedUser, config: { ...image.config, user: 'www-data' } }];
  const get = async (id: string): Promise<Image | undefined> => all.find((other) => other.id === id);
  return { resolve: get, get, list: async () => all, pull: async () => image, remove: async () => {} };
}

async function awaitStatus(
  runtime: ContainerRuntime,
  id: string,
  accept: (status: ContainerStatus) => boolean,
): Promise<ContainerStatus> {
  const now = await runtime.containerStatus(id);
  if (now && accept(now)) return now;
  return new Promise((resolve) => {
    const subscription = runtime.onContainerEvent((status) => {
      if (status.id !== id || !accept(status)) return;
      subscription.close();
      resolve(status);
    });
  });
}

async function awaitLog(runtime: ContainerRuntime, id: string, wanted: string): Promise<void> {
  const path = (await runtime.containerStatus(id))?.logPath ?? '';
  await awaitValue(async () => contentOf(path).includes(wanted));
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function awaitValue(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + waitMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await awaitValue(async () => {
    result = await attempt().catch(() => undefined);
    return result !== undefined;
  });
  if (result === undefined) throw new Error('waited in vain');
  return result;
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString();
}

function waitFor(stream: Readable, wanted: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    stream.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes(wanted)) resolve();
    });
    stream.once('end', () => reject(new Error(`ended before "${wanted}": ${seen}`)));
  });
}

function processRuns(containerId: string): boolean {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(containerId);
}
