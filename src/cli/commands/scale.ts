import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { collected, wholeNumber } from '../flag-values.ts';
import { filenameOption } from '../filename-option.ts';
import { scaleObjects } from '../scale-objects.ts';
import { withSession } from '../session.ts';

/** The flags of `kanoe scale` as commander parses them. */
export interface ScaleFlags extends ClusterFlags {
  readonly replicas: number;
  readonly param?: readonly string[];
  readonly serialLength: number;
  readonly filename?: readonly string[];
}

/** `kanoe scale`: as many nodes or pods of a template as are wanted, or the replicas of a workload. */
export function scaleCommand(context: CliContext): Command {
  const command = new Command('scale')
    .description(
      'make simulated nodes or pods, or set the replicas of a workload: kanoe scale node --replicas 100, kanoe scale deployment/web --replicas 3',
    )
    .argument('<type>', 'node, pod, a template of -f, or TYPE/NAME of something that has replicas')
    .argument('[name]', 'what the names of the objects begin with (default: the type)')
    .requiredOption('--replicas <count>', 'how many there are to be', wholeNumber)
    .option('--param <change>', "change a parameter: '.allocatable.cpu=8' (repeatable)", collected)
    .option('--serial-length <digits>', 'digits of the number in the names', wholeNumber, 6)
    .addOption(filenameOption('templates (config.kwok.x-k8s.io/v1alpha1 KwokctlResource)'));
  return addClusterOptions(command).action(
    async (type: string, name: string | undefined, flags: ScaleFlags) => {
      await withSession(context, flags, (session) => scaleObjects(context, session, { type, name, flags }));
    },
  );
}
