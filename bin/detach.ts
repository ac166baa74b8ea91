import { CliError } from '../src/cli/cli-error.ts';
import { runDetached } from '../src/cli/run-detached.ts';
import { processContext } from './process-context.ts';

/** `kanoe up --detach`: starts the whole program in the background and waits for it to be ready. */
async function main(): Promise<void> {
  const context = processContext(__dirname);
  try {
    await runDetached(context);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (message) context.stderr.write(`error: ${message}\n`);
    if (error instanceof CliError && error.hint) context.stderr.write(`${error.hint}\n`);
    process.exitCode = error instanceof CliError ? error.exitCode : 1;
  }
}

void main();
