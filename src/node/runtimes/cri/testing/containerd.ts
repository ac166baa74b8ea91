import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findTool } from '../../native/select-launcher.ts';

/** A containerd of one's own: its state, images and network are a folder's and a /24's. */
export interface TestContainerd {
  readonly endpoint: string;
  /** Runs `ctr` against it. */
  ctr(...args: readonly string[]): string;
  stop(): Promise<void>;
}

export interface TestContainerdOptions {
  readonly folder: string;
  /** First three numbers of the pods' addresses; absent: it has no network yet. */
  readonly network?: string;
}

/** Name of the image that holds a sandbox; {@link importImage} has to bring one. */
export const testPauseImage = 'kanoe.test/pause:1';

/** A second handler of RuntimeClasses. */
export const testHandler = 'second';

/** Why containerd cannot be tried on this machine. */
export async function whyNoContainerd(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const tool of ['containerd', 'ctr', 'runc', 'busybox'])
    if ((await findTool(tool)) === undefined) return `${tool} is not installed`;
  return pluginFolder() === undefined
    ? 'the CNI plug-ins (containernetworking-plugins) are not installed'
    : undefined;
}

function pluginFolder(): string | undefined {
  return ['/usr/lib/cni', '/opt/cni/bin'].find((folder) => {
    try {
      readFileSync(join(folder, 'ptp'));
      return true;
    } catch {
      return false;
    }
  });
}

/** Starts one. Resolves when it answers. */
export async function startContainerd({ folder, network }: TestContainerdOptions): Promise<TestContainerd> {
  const [conf, socket] = [join(folder, 'cni'), join(folder, 'containerd.sock')];
  mkdirSync(conf, { recursive: true });
  if (network !== undefined)
    writeFileSync(join(conf, '10-test.conflist'), JSON.stringify(conflist(folder, network)));
  const runc = (handler: string): string => `
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${handler}]
        runtime_type = "io.containerd.runc.v2"
        [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${handler}.options]
          Root = "${join(folder, handler)}"`;
  writeFileSync(
    join(folder, 'config.toml'),
    `version = 2
root = "${join(folder, 'root')}"
state = "${join(folder, 'state')}"
[grpc]
  address = "${socket}"
[plugins]
  [plugins."io.containerd.internal.v1.opt"]
    path = "${join(folder, 'opt')}"
  [plugins."io.containerd.grpc.v1.cri"]
    sandbox_image = "${testPauseImage}"
    netns_mounts_under_state_dir = true
    restrict_oom_score_adj = true
    [plugins."io.containerd.grpc.v1.cri".cni]
      bin_dir = "${pluginFolder()}"
      conf_dir = "${conf}"
    [plugins."io.containerd.grpc.v1.cri".containerd]
      default_runtime_name = "runc"${runc('runc')}${runc(testHandler)}
`,
  );
  const ctr = (...args: readonly string[]): string =>
    execFileSync('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args], { encoding: 'utf8' });
  const daemon = spawn('containerd', ['--config', join(folder, 'config.toml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  daemon.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-20_000)));
  await new Promise<void>((resolve, reject) => {
    daemon.stderr.on('data', () => {
      if (said.includes('containerd successfully booted')) resolve();
    });
    daemon.once('error', reject);
    daemon.once('exit', () => reject(new Error(`containerd ended: ${said}`)));
  });
  return {
    endpoint: `unix://${socket}`,
    ctr,
    stop: () => ended(daemon),
  };
}

function ended(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    daemon.once('exit', () => resolve());
    daemon.kill('SIGTERM');
  });
}

function conflist(folder: string, network: string): object {
  return {
    cniVersion: '0.4.0',
    name: `kanoe-test-${network}`,
    plugins: [
      {
        type: 'ptp',
        ipam: {
          type: 'host-local',
          dataDir: join(folder, 'addresses'),
          ranges: [[{ subnet: `${network}.0/24` }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
    ],
  };
}

export interface TestImage {
  readonly name: string;
  readonly user?: string;
  readonly env?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
}

/** Imports a busybox image; gives its id. */
export function importImage(containerd: TestContainerd, folder: string, image: TestImage): string {
  const work = join(folder, 'import');
  rmSync(work, { recursive: true, force: true });
  const root = join(work, 'root');
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'var'])
    mkdirSync(join(root, name), { recursive: true });
  const program = '/bin/busybox';
  cpSync(program, join(root, 'bin/busybox'), { dereference: true });
  for (const applet of execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('/bin/busybox', join(root, 'bin', applet));
  }
  symlinkSync('/run', join(root, 'var/run'));
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/bin/false\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nwww-data:x:33:\n');
  execFileSync('tar', ['-C', root, '-cf', join(work, 'layer.tar'), '.']);
  const layer = createHash('sha256')
    .update(readFileSync(join(work, 'layer.tar')))
    .digest('hex');
  const config = JSON.stringify({
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch,
    os: 'linux',
    config: {
      User: image.user ?? '',
      Env: image.env ?? [],
      Entrypoint: image.entrypoint ?? [],
      Cmd: image.cmd ?? [],
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  });
  const id = createHash('sha256').update(config).digest('hex');
  writeFileSync(join(work, `${id}.json`), config);
  writeFileSync(
    join(work, 'manifest.json'),
    JSON.stringify([{ Config: `${id}.json`, RepoTags: [image.name], Layers: ['layer.tar'] }]),
  );
  execFileSync('tar', [
    '-C',
    work,
    '-cf',
    join(folder, 'image.tar'),
    'manifest.json',
    `${id}.json`,
    'layer.tar',
  ]);
  containerd.ctr('images', 'import', join(folder, 'image.tar'));
  rmSync(work, { recursive: true, force: true });
  return `sha256:${id}`;
}
