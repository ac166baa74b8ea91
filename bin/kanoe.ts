import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { findHome } from '../src/cluster/home.ts';
import type { CliContext } from '../src/cli/cli-context.ts';
import { runProgram } from '../src/cli/program.ts';

/** Runs the command line of this process and exits with its code. */
async function main(): Promise<void> {
  const stopping = new AbortController();
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signals += 1;
      stopping.abort(new Error(signal));
      if (signals >= 3) process.exit(130);
    });
  }
  // Timers of the clock do not keep the process alive, and neither does waiting for other processes.
  const keepAlive = setInterval(() => undefined, 0x7fffffff);
  const bundle = __dirname;
  const send = process.send?.bind(process);
  const context: CliContext = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    clock: systemClock,
    home: findHome(process.env),
    colour: process.stderr.isTTY && !process.env['NO_COLOR'],
    signal: stopping.signal,
    startedAt: performance.timeOrigin,
    program: {
      main: resolve(bundle, '../bin/kanoe.js'),
      unpack: join(bundle, 'unpack.cjs'),
      networkWorker: join(bundle, 'network-worker.cjs'),
      version: (JSON.parse(readFileSync(resolve(bundle, '../../package.json'), 'utf8')) as { version: string }).version,
    },
    ...(send && {
      parent: {
        send: (message: object) => void (process.connected && send(message)),
        close: () => {
          if (process.connected) process.disconnect();
        },
      },
    }),
  };
  process.exitCode = await runProgram(context, process.argv.slice(2));
  clearInterval(keepAlive);
}

void main();
