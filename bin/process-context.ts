import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findHome } from '../src/cluster/home.ts';
import type { DetachContext } from '../src/cli/run-detached.ts';

/** What this process is told from outside. `bundle` is the directory of the program's files. */
export function processContext(bundle: string): DetachContext {
  const stopping = new AbortController();
  // Every request of a command listens to it.
  setMaxListeners(0, stopping.signal);
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      signals += 1;
      stopping.abort(new Error(signal));
      if (signals >= 3) process.exit(130);
    });
  }
  if (process.env['KANOE_ROOTLESS'] !== undefined) {
    const stop = (): void => stopping.abort(new Error('the process outside ended'));
    process.on('disconnect', stop);
    process.on('message', (message: { readonly type?: string }) => {
      if (message.type === 'stop') stop();
    });
  }
  const manifest = readFileSync(resolve(bundle, '../../package.json'), 'utf8');
  return {
    argv: process.argv.slice(2),
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    home: findHome(process.env),
    colour: process.stderr.isTTY && !process.env['NO_COLOR'],
    signal: stopping.signal,
    startedAt: performance.timeOrigin,
    program: {
      main: resolve(bundle, '../bin/kanoe.js'),
      unpack: join(bundle, 'unpack.cjs'),
      networkWorker: join(bundle, 'network-worker.cjs'),
      ingressWorker: join(bundle, 'ingress-worker.cjs'),
      rulesWorker: join(bundle, 'rules-worker.cjs'),
      version: (JSON.parse(manifest) as { readonly version: string }).version,
    },
  };
}
