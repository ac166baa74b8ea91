import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

/** The program of a thread, built for a test. */
export interface BuiltWorker {
  readonly file: string;
  remove(): Promise<void>;
}

/** Builds `bin/NAME.ts` as the package ships it. */
export async function buildWorker(name: string): Promise<BuiltWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'worker-'));
  const file = join(folder, `${name}.cjs`);
  await build({
    entryPoints: [join(import.meta.dirname, '../../../bin', `${name}.ts`)],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
  });
  return { file, remove: () => rm(folder, { recursive: true }) };
}
