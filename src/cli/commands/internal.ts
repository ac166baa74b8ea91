import { Command } from 'commander';
import { writeFile } from 'node:fs/promises';
import type vm from 'node:vm';
import type { CliContext } from '../cli-context.ts';

/** Commands that the installation itself runs; not listed in the help. */
export function internalCommand(context: CliContext): Command {
  const command = new Command('internal').description("the installation's own commands");
  command
    .command('code-cache')
    .description('write the V8 code cache of the program beside it')
    .action(async () => {
      const { warmUp } = await import('../../cluster/warm-up.ts');
      await warmUp(context.clock, context.program);
      const script = (globalThis as { [key: symbol]: unknown })[Symbol.for('kanoe.script')] as
        | vm.Script
        | undefined;
      if (!script) return;
      const bundle = context.program.unpack.replace(/unpack\.cjs$/, 'kanoe.cjs');
      await writeFile(`${bundle}.${process.version}-${process.arch}.cache`, script.createCachedData());
    });
  return command;
}
