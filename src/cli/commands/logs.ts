import { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addClusterOptions, type ClusterFlags } from '../cluster-options.ts';
import { durationArgument, wholeNumber } from '../flag-values.ts';
import { printLogs } from '../print-logs.ts';
import { withSession } from '../session.ts';

/** The flags of `kanoe logs` as commander parses them. */
export interface LogsFlags extends ClusterFlags {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: number;
  /** Milliseconds. */
  readonly since?: number;
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  readonly limitBytes?: number;
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly selector?: string;
  readonly prefix?: boolean;
  readonly maxLogRequests: number;
}

/** `kanoe logs`: prints what containers wrote. */
export function logsCommand(context: CliContext): Command {
  const command = new Command('logs')
    .description(
      'print the logs of containers: kanoe logs web-1, kanoe logs -f deploy/web, kanoe logs -l app=web',
    )
    .argument('[pod]', 'a pod, or TYPE/NAME of what has pods')
    .argument('[container]', 'a container of the pod')
    .option('-f, --follow', 'go on printing until interrupted')
    .option('-p, --previous', "of the container's previous run")
    .option('--tail <lines>', 'only the last lines; -1 for all (default: all, with a selector 10)', lines)
    .option('--since <duration>', 'only what is newer: 30s, 5m, 2h', durationArgument)
    .option('--since-time <time>', 'only what is newer than this RFC 3339 time')
    .option('--timestamps', 'begin each line with its time')
    .option('--limit-bytes <bytes>', 'no more than this', wholeNumber)
    .option('-c, --container <name>', 'a container of the pod')
    .option('--all-containers', 'all containers, one after the other')
    .option('-l, --selector <selector>', 'of all pods with these labels')
    .option('--prefix', 'begin each line with its pod and container')
    .option('--max-log-requests <count>', 'how many logs may be followed at once', wholeNumber, 5);
  return addClusterOptions(command).action(
    async (pod: string | undefined, container: string | undefined, flags: LogsFlags) => {
      await withSession(context, flags, (session) =>
        printLogs(context, session, {
          ...(pod !== undefined && { pod }),
          flags: { ...flags, ...(container !== undefined && { container }) },
        }),
      );
    },
  );
}

function lines(value: string): number {
  return value === '-1' ? -1 : wholeNumber(value);
}
