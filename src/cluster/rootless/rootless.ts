import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from '../cluster-error.ts';
import { processIdentity, type ProcessIdentity } from '../process-identity.ts';
import { forwardPort, serveRelay } from './relay.ts';

/** What the process inside the namespaces is told of the one outside; in its environment as JSON. */
export interface RootlessPlace {
  /** By which others know the cluster's process. */
  readonly outer: ProcessIdentity;
  /** Holds the sockets `in.sock`, which leads inside, and `out.sock`, which leads outside. */
  readonly directory: string;
}

/** The variable of the environment that holds a {@link RootlessPlace}. */
export const rootlessVariable = 'KANOE_ROOTLESS';

/** What costs what, for `kanoe status`. */
export const rootlessLimitations: readonly string[] = [
  'rootless: containers have the one user root, which is you; runAsUser, fsGroup and images with other users do not work',
  'rootless: requests and limits are not enforced, as this user may not make control groups',
  'rootless: pods do not reach addresses outside the cluster',
];

/** Messages from the process inside. */
export type InnerMessage =
  | { readonly type: 'ports'; readonly ports: readonly number[] }
  | { readonly type: 'step' | 'line' | 'warn' | 'ready' | 'failed' };

const flags = [
  '--user',
  '--map-root-user',
  '--mount',
  '--net',
  '--pid',
  '--fork',
  '--kill-child',
  '--mount-proc',
];

/**
 * The first process inside: it gathers orphans, and when it ends, so does everything inside. crun refuses control groups of
 * both versions side by side, which nobody here may use anyway.
 */
const setup = `mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && ip link set lo up || exit 1
[ ! -d /sys/fs/cgroup/unified ] || mount -t tmpfs tmpfs /sys/fs/cgroup || exit 1
"$@" & wait $!`;

/** Why this user cannot run containers in user namespaces; undefined when it works. */
export function whyNotRootless(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}`;
  const { status, stderr, error } = spawnSync('unshare', [...flags, 'sh', '-c', setup, 'try', 'true'], {
    encoding: 'utf8',
    timeout: 5000,
  });
  if (error) return error.message;
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1) || 'unshare failed';
}

/** Where the sockets of a cluster are that runs in namespaces of its own; short, as their paths may not be long. */
export function rootlessDirectory(home: string, name: string): string {
  return join(home, `rl-${name}`);
}

export interface RootlessOptions {
  /** The command line of the process inside; it listens at the port that is added to it. */
  readonly command: readonly string[];
  /** Ports to try for the API, in this order; 0 is any. */
  readonly ports: readonly number[];
  readonly home: string;
  /** Of the cluster. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  hear(message: InnerMessage): void;
}

/**
 * Runs a command in user, mount, network and process namespaces of its own until it ends; gives its exit code. Its API and the
 * ports that it names are carried from this machine's loopback. When this process ends, everything inside does.
 */
export async function superviseRootless(options: RootlessOptions): Promise<number> {
  const { signal, hear } = options;
  const directory = rootlessDirectory(options.home, options.name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const inward = join(directory, 'in.sock');
  const forwards = new Map<number, { close(): void }>();
  const outward = await serveRelay(join(directory, 'out.sock'));
  const outer = await processIdentity(process.pid);
  if (!outer) throw new ClusterError('FAILED', 'this process cannot read its own state in /proc');
  try {
    const port = await listenForApi();
    const place: RootlessPlace = { outer, directory };
    const child = spawn(
      'unshare',
      [...flags, 'sh', '-c', setup, 'kanoe', ...options.command, '--port', String(port)],
      {
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
        env: { ...options.env, [rootlessVariable]: JSON.stringify(place) },
      },
    );
    child.on('message', (message: InnerMessage) => {
      if (message.type === 'ports') void follow(message.ports, port);
      else hear(message);
    });
    const stop = (): void => void (child.connected && child.send({ type: 'stop' }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return await ended(child);
  } finally {
    for (const forward of forwards.values()) forward.close();
    outward.close();
    await rm(directory, { recursive: true, force: true });
  }

  async function listenForApi(): Promise<number> {
    let failure: unknown;
    for (const wanted of options.ports) {
      try {
        const forward = await forwardPort(wanted, inward);
        forwards.set(forward.port, forward);
        return forward.port;
      } catch (error) {
        failure = error;
      }
    }
    throw new ClusterError(
      'PORT_TAKEN',
      `port ${options.ports[0]} of 127.0.0.1 is taken by another process; give another --port, or --port 0 for a free one`,
      { cause: failure },
    );
  }

  /** Carries the ports of services that there are now; one that somebody else has is left out. */
  async function follow(ports: readonly number[], api: number): Promise<void> {
    for (const [port, forward] of forwards)
      if (port !== api && !ports.includes(port)) {
        forward.close();
        forwards.delete(port);
      }
    for (const port of ports) {
      if (forwards.has(port)) continue;
      forwards.set(port, { close: () => undefined });
      const forward = await forwardPort(port, inward).catch(() => undefined);
      if (forward) forwards.set(port, forward);
      else forwards.delete(port);
    }
  }
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, killed) => resolve(code ?? (killed === null ? 1 : 128)));
  });
}
