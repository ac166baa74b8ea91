import { Command, CommanderError } from 'commander';
import { styleText } from 'node:util';
import { StatusError } from '../machinery/status-error.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import { commands } from './commands.ts';
import { describeFailure } from './failures.ts';

/** The whole command tree. */
export function createProgram(context: CliContext): Command {
  const program = new Command('kanoe')
    .description('A Kubernetes-compatible cluster, and the platform above it, in one package.')
    .version(context.program.version, '-V, --version')
    .enablePositionalOptions()
    .showHelpAfterError('(kanoe --help lists the commands)')
    .helpCommand('help [command]', 'say more about a command');
  for (const make of commands) program.addCommand(make(context));
  for (const command of [program, ...program.commands]) {
    command.exitOverride();
    command.configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    });
  }
  return program;
}

/** Runs one command line (without `node` and the script); resolves to the exit code. */
export async function runProgram(context: CliContext, argv: readonly string[]): Promise<number> {
  try {
    await createProgram(context).parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(context, error);
  }
}

/** Prints what went wrong, once, in a sentence; resolves to the exit code. */
export function reportError(context: CliContext, error: unknown): number {
  const red = (text: string): string => (context.colour ? styleText('red', text) : text);
  if (error instanceof CliError) {
    if (error.message) context.stderr.write(`${red('error:')} ${error.message}\n`);
    if (error.hint) context.stderr.write(`${error.hint}\n`);
    return error.exitCode;
  }
  if (error instanceof StatusError) {
    const [label, message] = describeFailure(error);
    context.stderr.write(`${red(label)} ${message}\n`);
    return 1;
  }
  if (context.signal.aborted) return 130;
  const coded = error instanceof Error && 'code' in error;
  const text =
    error instanceof Error ? (coded ? error.message : (error.stack ?? error.message)) : String(error);
  context.stderr.write(`${red('error:')} ${text}\n`);
  return 1;
}
