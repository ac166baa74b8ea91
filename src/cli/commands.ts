import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { applyCommand } from './commands/apply.ts';
import { completionCommand } from './commands/completion.ts';
import { deleteCommand } from './commands/delete.ts';
import { describeCommand } from './commands/describe.ts';
import { downCommand } from './commands/down.ts';
import { execCommand } from './commands/exec.ts';
import { getCommand } from './commands/get.ts';
import { internalCommand } from './commands/internal.ts';
import { kubeconfigCommand } from './commands/kubeconfig.ts';
import { listCommand } from './commands/list.ts';
import { loadCommand } from './commands/load.ts';
import { logsCommand } from './commands/logs.ts';
import { nodeCommand } from './commands/node.ts';
import { portForwardCommand } from './commands/port-forward.ts';
import { runCommand } from './commands/run.ts';
import { scaleCommand } from './commands/scale.ts';
import { simulateCommand } from './commands/simulate.ts';
import { snapshotCommand } from './commands/snapshot.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { upCommand } from './commands/up.ts';
import { versionCommand } from './commands/version.ts';
import { waitCommand } from './commands/wait.ts';

/** Every verb, in the order in which `--help` lists them. */
export const commands: readonly ((context: CliContext) => Command)[] = [
  upCommand,
  downCommand,
  statusCommand,
  listCommand,
  kubeconfigCommand,
  loadCommand,
  getCommand,
  applyCommand,
  describeCommand,
  deleteCommand,
  logsCommand,
  execCommand,
  portForwardCommand,
  waitCommand,
  nodeCommand,
  tokenCommand,
  runCommand,
  scaleCommand,
  snapshotCommand,
  simulateCommand,
  completionCommand,
  versionCommand,
  internalCommand,
];
