import { systemClock } from '../src/base/clock.ts';
import { rootlessVariable } from '../src/cluster/rootless/rootless.ts';
import { runProgram } from '../src/cli/program.ts';
import { processContext } from './process-context.ts';

/** Runs the command line of this process and exits with its code. */
async function main(): Promise<void> {
  // Timers of the clock do not keep the process alive, and neither does waiting for other processes.
  const keepAlive = setInterval(() => undefined, 0x7fffffff);
  const send = process.send?.bind(process);
  const context = {
    ...processContext(__dirname),
    stdin: process.stdin,
    clock: systemClock,
    ...(send && {
      parent: {
        send: (message: object) => void (process.connected && send(message)),
        close: () => {
          // Inside namespaces the process outside goes on being told of ports.
          if (process.connected && !process.env[rootlessVariable]) process.disconnect();
        },
      },
    }),
  };
  const code = await runProgram(context, context.argv);
  clearInterval(keepAlive);
  // What was printed goes out first; then nothing that is still open keeps the process.
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))),
  );
  process.exit(code);
}

void main();
