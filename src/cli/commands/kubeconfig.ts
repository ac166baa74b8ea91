import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { adminKubeconfigPath } from '../../cluster/admin-kubeconfig.ts';
import type { CliContext } from '../cli-context.ts';
import { nameOption } from '../name-option.ts';

/** `kanoe kubeconfig`: the administrator's kubeconfig of a cluster, on standard output. */
export function kubeconfigCommand(context: CliContext): Command {
  return new Command('kubeconfig')
    .description("print the administrator's kubeconfig, certificates inline")
    .addOption(nameOption())
    .option('--path', "print the file's path instead")
    .action(async ({ name, path }: { name: string; path?: boolean }) => {
      const file = await adminKubeconfigPath(context.home, name);
      context.stdout.write(path ? `${file}\n` : await readFile(file, 'utf8'));
    });
}
