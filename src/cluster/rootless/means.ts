import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';

/** What somebody who is not root has on this machine to run a cluster with. */
export interface RootlessMeans {
  /** `many`: the users of `/etc/subuid` are there beside root, by `newuidmap`. */
  readonly ids: 'one' | 'many';
  /** What carries packets between the cluster's namespaces and the world; `none` where nothing does. */
  readonly outside: OutsideTool | 'none';
}

export type OutsideTool = 'slirp4netns' | 'pasta';

/** Name servers that the tools answer as. */
export const nameServers: Readonly<Record<OutsideTool, string>> = {
  slirp4netns: '10.0.2.3',
  pasta: '169.254.53.53',
};

/** The link of the cluster's namespaces to the world. */
export const outsideLink = 'tap0';

/** Options of `unshare`: root is the caller, and with `many` the users 1 to 65535 are the caller's of `/etc/subuid`. */
export function idFlags(ids: RootlessMeans['ids']): readonly string[] {
  return ['--user', '--map-root-user', ...(ids === 'many' ? ['--map-auto'] : [])];
}

/** Looks for `newuidmap` with ranges of ids, and for `slirp4netns` or `pasta` with the device that they need. */
export function findMeans(): RootlessMeans {
  const many = succeeds('unshare', [...idFlags('many'), 'true']);
  const outside = (['slirp4netns', 'pasta'] as const).find((tool) => succeeds(tool, ['--version']));
  return {
    ids: many ? 'many' : 'one',
    outside: outside !== undefined && hasTunnels() ? outside : 'none',
  };
}

/** What costs what, for `kanoe status`. */
export function rootlessLimitations(
  { ids, outside }: RootlessMeans,
  links: readonly string[],
): readonly string[] {
  const connected = outside !== 'none' && links.includes(outsideLink);
  return [
    ids === 'many'
      ? 'rootless: containers have 65536 users, those of /etc/subuid and /etc/subgid, and their root is you'
      : 'rootless: containers have the one user root, which is you; runAsUser, fsGroup and images with other users do not work (newuidmap and a range of ids in /etc/subuid and /etc/subgid would change that)',
    'rootless: requests and limits are not enforced, as this user may not make control groups',
    connected
      ? `rootless: ${outside} carries what pods exchange with addresses outside the cluster`
      : 'rootless: pods do not reach addresses outside the cluster (slirp4netns or pasta would change that)',
  ];
}

/** The command that carries packets for the namespaces of a process; slirp4netns ends when its fourth stream does. */
export function outsideCommand(tool: OutsideTool, pid: number): readonly string[] {
  if (tool === 'slirp4netns')
    return [
      tool,
      '--configure',
      '--mtu=65520',
      '--disable-host-loopback',
      '--exit-fd=3',
      String(pid),
      outsideLink,
    ];
  const forwardNothing = '-t none -u none -T none -U none';
  const names = `--ns-ifname ${outsideLink} --dns-forward ${nameServers.pasta}`;
  const options = `--foreground --quiet --config-net --no-map-gw ${forwardNothing} ${names}`;
  return `setpriv --pdeathsig KILL ${tool} ${options} ${pid}`.split(' ');
}

function succeeds(file: string, args: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore', timeout: 5000 }).status === 0;
}

function hasTunnels(): boolean {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
