import { Command, Option } from 'commander';
import { servedVersion } from '../../cluster/served-version.ts';
import type { CliContext } from '../cli-context.ts';
import { structuredText } from '../structured-text.ts';

/** `kanoe version`: Kanoe's version, the Kubernetes version it serves, and what it runs on. */
export function versionCommand(context: CliContext): Command {
  return new Command('version')
    .description('print the versions of Kanoe, of the API it serves and of Node.js')
    .addOption(new Option('-o, --output <format>', 'machine-readable output').choices(['json', 'yaml']))
    .action(async ({ output }: { output?: 'json' | 'yaml' }) => {
      const version = {
        kanoe: context.program.version,
        kubernetes: servedVersion(context.program.version).gitVersion,
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
      };
      const lines = [
        `Kanoe:      ${version.kanoe}`,
        `Kubernetes: ${version.kubernetes}`,
        `Node.js:    ${version.node} (${version.platform})`,
      ];
      context.stdout.write(output ? await structuredText(version, output) : `${lines.join('\n')}\n`);
    });
}
