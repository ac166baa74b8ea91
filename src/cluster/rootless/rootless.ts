import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { ClusterError } from '../cluster-error.ts';
import { findMeans, idFlags, nameServers, type RootlessMeans } from './means.ts';
import { connectOutside } from './outside.ts';
import { processIdentity, type ProcessIdentity } from '../process-identity.ts';
import { forwardPort, serveRelay } from './relay.ts';

/** What the process inside the namespaces is told of the one outside; in its environment as JSON. */
export interface RootlessPlace {
  /** By which others know the cluster's process. */
  readonly outer: ProcessIdentity;
  /** Holds the sockets `in.sock`, which leads inside, and `out.sock`, which leads outside. */
  readonly directory: string;
  readonly means: RootlessMeans;
}

/** The variable of the environment that holds a {@link RootlessPlace}. */
export const rootlessVariable = 'KANOE_ROOTLESS';

/** Messages from the process inside. */
export type InnerMessage =
  | { readonly type: 'ports'; readonly ports: readonly number[] }
  | { readonly type: 'step' | 'line' | 'warn' | 'ready' | 'failed' };

const flags = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * The first process inside: it gathers orphans, and when it ends, so does everything inside. crun refuses control groups of
 * both versions side by side, which nobody here may use anyway. Where somebody carries packets, it waits for the way out.
 */
const setup = `names=$(cat /etc/resolv.conf)
mount -t tmpfs -o mode=755 tmpfs /run && mkdir /run/netns && ip link set lo up || exit 1
[ ! -d /sys/fs/cgroup/unified ] || mount -t tmpfs tmpfs /sys/fs/cgroup || exit 1
if [ -n "$KANOE_NAME_SERVER" ]; then
  tries=0
  until ip route show default | grep -q . || [ $tries -ge 100 ]; do sleep 0.05; tries=$((tries+1)); done
  { echo "nameserver $KANOE_NAME_SERVER"; echo "$names" | grep -E '^(search|options)'; } > /run/kanoe-resolv.conf
  target=$(readlink -m /etc/resolv.conf)
  [ -e "$target" ] || { mkdir -p "\${target%/*}" && : > "$target"; }
  mount --bind /run/kanoe-resolv.conf "$target"
fi
"$@" & wait $!`;

/** Why this user cannot run containers in user namespaces; undefined when it works. */
export function whyNotRootless(): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}`;
  const { status, stderr, error } = spawnSync(
    'unshare',
    [...idFlags('one'), ...flags, 'sh', '-c', setup, 'try', 'true'],
    {
      encoding: 'utf8',
      timeout: 5000,
    },
  );
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
  readonly clock: Clock;
  readonly signal: AbortSignal;
  warn(text: string): void;
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
  const means = findMeans();
  let outside: Promise<{ close(): void }> | undefined;
  if (!outer) throw new ClusterError('FAILED', 'this process cannot read its own state in /proc');
  try {
    const port = await listenForApi();
    const place: RootlessPlace = { outer, directory, means };
    const child = spawn(
      'unshare',
      [
        ...idFlags(means.ids),
        ...flags,
        'sh',
        '-c',
        setup,
        'kanoe',
        ...options.command,
        '--port',
        String(port),
      ],
      {
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
        env: {
          ...options.env,
          [rootlessVariable]: JSON.stringify(place),
          ...(means.outside !== 'none' && { KANOE_NAME_SERVER: nameServers[means.outside] }),
        },
      },
    );
    if (means.outside !== 'none' && child.pid !== undefined)
      outside = connectOutside(means.outside, child.pid, options);
    child.on('message', (message: InnerMessage) => {
      if (message.type === 'ports') void follow(message.ports, port);
      else hear(message);
    });
    const stop = (): void => void (child.connected && child.send({ type: 'stop' }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    return await ended(child);
  } finally {
    (await outside)?.close();
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
