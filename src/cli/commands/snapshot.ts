import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { words } from '../flag-values.ts';
import { recordSnapshot, replaySnapshot, restoreSnapshotFile, saveSnapshotFile } from '../snapshot-files.ts';
import { withSession } from '../session.ts';

/** The flags of `kanoe snapshot` as commander parses them. */
export interface SnapshotFlags extends ClusterFlags {
  readonly filter?: readonly string[];
  readonly speed: number;
}

/** `kanoe snapshot`: a cluster's objects as a file, and its history. */
export function snapshotCommand(context: CliContext): Command {
  const command = new Command('snapshot').description(
    'keep the objects of a cluster in a file, or its history: kanoe snapshot save cluster.yaml',
  );
  const verbs = [
    ['save', 'write all objects of a cluster to a file', saveSnapshotFile],
    ['restore', 'make the objects of a file on a cluster', restoreSnapshotFile],
    ['record', 'write all objects, then every change until interrupted', recordSnapshot],
    ['replay', 'make the objects of a recording, then its changes in their time', replaySnapshot],
  ] as const;
  for (const [verb, description, run] of verbs) {
    const sub = new Command(verb)
      .description(description)
      .argument('<file>', 'a file of YAML documents; - is standard input or output');
    if (verb !== 'replay')
      sub.option('--filter <types>', 'only these types: pods,deployments.apps (repeatable)', words);
    if (verb === 'replay') sub.option('--speed <factor>', 'how many times faster; 0 does not wait', speed, 1);
    addClusterOptions(sub).action(async (file: string, flags: SnapshotFlags) => {
      await withSession(context, flags, (session) => run(context, session, { file, flags }));
    });
    command.addCommand(sub);
  }
  return command;
}

function speed(value: string): number {
  const factor = Number(value);
  if (value.trim() === '' || !(factor >= 0)) throw new InvalidArgumentError('it must be a number, 0 or more');
  return factor === 0 ? Infinity : factor;
}
