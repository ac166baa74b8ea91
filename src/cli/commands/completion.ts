import { Argument, Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { completionScript, shells, type Shell } from '../completion-script.ts';

/** `kanoe completion`: a script that teaches a shell the commands and flags of this program. */
export function completionCommand(context: CliContext): Command {
  const command = new Command('completion')
    .description('print a completion script: source <(kanoe completion bash)')
    .addArgument(new Argument('<shell>', 'for this shell').choices(shells));
  return command.action((shell: Shell) => {
    context.stdout.write(completionScript(command.parent ?? command, shell));
  });
}
