import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { pauseProgram } from './pause-program.ts';

const program = process.platform === 'linux' ? pauseProgram(process.arch) : undefined;

it.skipIf(program === undefined)('waits until it is killed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kanoe-pause-'));
  const file = join(folder, 'pause');
  writeFileSync(file, program ?? '', { mode: 0o755 });
  const child = spawn(file);
  await once(child, 'spawn');
  // It survives a signal that it waits for.
  spawnSync('kill', ['-CONT', String(child.pid)]);
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  rmSync(folder, { recursive: true });
});

it('has no program for processors it does not know', () => {
  expect(pauseProgram('riscv64')).toBeUndefined();
});
