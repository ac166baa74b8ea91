import { enableIpv6, linkExists, setLinkSettings } from './link-settings.ts';
import { runTool } from './run-tool.ts';

/** A network namespace, in which tools run and links are set up. */
export interface NetworkPlace {
  /** What a command line begins with to be run there. */
  readonly enter: readonly string[];
  /** Runs `ip`, `nft`, `conntrack` … there, as `runTool` does. */
  run(file: string, args: readonly string[], input?: string): Promise<string>;
  linkExists(name: string): Promise<boolean>;
  /** Sets `net.ipv4.conf.<link>.<setting>`. */
  setLinkSettings(link: string, settings: Readonly<Record<string, string>>): Promise<void>;
  /** Lets a link have IPv6 addresses, where links have none by default. */
  enableIpv6(link: string): Promise<void>;
}

/** The namespace of this process. */
export function ownPlace(): NetworkPlace {
  return { enter: [], run: runTool, linkExists, setLinkSettings, enableIpv6 };
}

/** The namespace that a file stands for; nothing is asked of it here. */
export function placeAt(netnsPath: string): NetworkPlace {
  const inside = [`--net=${netnsPath}`];
  const run: NetworkPlace['run'] = (file, args, input) =>
    runTool('nsenter', [...inside, file, ...args], input);
  return {
    enter: ['nsenter', ...inside],
    run,
    linkExists: (name) =>
      run('ip', ['link', 'show', 'dev', name]).then(
        () => true,
        () => false,
      ),
    async setLinkSettings(link, settings) {
      const folder = `/proc/sys/net/ipv4/conf/${link}`;
      const lines = Object.entries(settings).map(([name, value]) => `echo ${value} > ${folder}/${name}`);
      await run('sh', ['-c', lines.join(' && ')]);
    },
    async enableIpv6(link) {
      await run('sh', ['-c', `echo 0 > /proc/sys/net/ipv6/conf/${link}/disable_ipv6`]);
    },
  };
}
