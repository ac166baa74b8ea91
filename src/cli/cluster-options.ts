import type { Command } from 'commander';
import { Option } from 'commander';
import { nameOption } from './name-option.ts';

/** Which cluster, and as whom: what every verb that talks to an API server takes. */
export interface ClusterFlags {
  /** A cluster of Kanoe's, unless `kubeconfig` or `context` is given. */
  readonly name: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** Adds `--name`, `--kubeconfig`, `--context` and `--namespace`. */
export function addClusterOptions(command: Command): Command {
  return command
    .addOption(nameOption())
    .addOption(
      new Option('--kubeconfig <file>', 'talk to the cluster of this kubeconfig instead').conflicts('name'),
    )
    .addOption(
      new Option('--context <context>', 'talk to the cluster of this context of the kubeconfig').conflicts(
        'name',
      ),
    )
    .option('-n, --namespace <namespace>', "namespace (default: the context's)");
}
