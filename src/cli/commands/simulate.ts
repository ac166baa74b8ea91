import { Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { collected, words } from '../flag-values.ts';
import { filenameOption } from '../filename-option.ts';
import { answerWhatIf } from '../answer-what-if.ts';

/** The flags of `kanoe simulate` as commander parses them. */
export interface SimulateFlags {
  readonly filename?: readonly string[];
  readonly drainZone?: readonly string[];
  readonly removeNode?: readonly string[];
  readonly nodeGroup?: readonly string[];
  readonly seed: string;
  readonly output?: 'json' | 'yaml';
}

/** `kanoe simulate`: what would become of a cluster. */
export function simulateCommand(context: CliContext): Command {
  return new Command('simulate')
    .description(
      'say what would fit into a cluster, or remain of it: kanoe simulate cluster.yaml -f app.yaml --drain-zone a',
    )
    .argument('<snapshot>', 'a file of `kanoe snapshot save` or `kubectl get … -o yaml`; - is standard input')
    .addOption(filenameOption('workloads that are to be added'))
    .option('--drain-zone <zones>', 'without the nodes of these zones', words)
    .option('--remove-node <nodes>', 'without these nodes', words)
    .option(
      '--node-group <node:min:max>',
      'nodes that may be added: a file with a Node, or the name of a node of the snapshot (repeatable)',
      collected,
    )
    .option('--seed <text>', 'decides what is left to chance', 'kanoe')
    .addOption(new Option('-o, --output <format>', 'instead of tables').choices(['json', 'yaml']))
    .action(async (snapshot: string, flags: SimulateFlags) => {
      await answerWhatIf(context, snapshot, flags);
    });
}
