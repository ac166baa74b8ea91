import { linkExists, setLinkSettings } from './link-settings.ts';
import { runTool } from './run-tool.ts';

/** A network namespace, in which tools run and links are set up. */
export interface NetworkPlace {
  /** Runs `ip`, `nft`, `conntrack` … there, as `runTool` does. */
  run(file: string, args: readonly string[], input?: string): Promise<string>;
  linkExists(name: string): Promise<boolean>;
  /** Sets `net.ipv4.conf.<link>.<setting>`. */
  setLinkSettings(link: string, settings: Readonly<Record<string, string>>): Promise<void>;
}

/** The namespace of this process. */
export function ownPlace(): NetworkPlace {
  return { run: runTool, linkExists, setLinkSettings };
}

/** The namespace that a file stands for; nothing is asked of it here. */
export function placeAt(netnsPath: string): NetworkPlace {
  const run: NetworkPlace['run'] = (file, args, input) =>
    runTool('nsenter', [`--net=${netnsPath}`, file, ...args], input);
  return {
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
  };
}
