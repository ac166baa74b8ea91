import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { openLogFile } from './log-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kanoe-audit-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('writes lines in order and puts a file aside that has grown too large', async () => {
  const path = join(directory, 'audit.log');
  const options = { path, maxBytes: 20, maxBackups: 1, maxAgeDays: 0, clock: systemClock };
  const write = async (...lines: string[]): Promise<void> => {
    const log = openLogFile({
      ...options,
      onError(error) {
        throw error;
      },
    });
    for (const line of lines) log.write(line);
    await log.close();
  };
  await write('one\n', 'two\n');
  await write('a line of sixteen\n');
  expect(await readFile(path, 'utf8')).toBe('a line of sixteen\n');
  const aside = (await readdir(directory)).filter((name) => name !== 'audit.log');
  expect(aside).toEqual([expect.stringMatching(/^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/)]);
  expect(await readFile(join(directory, aside[0] ?? ''), 'utf8')).toBe('one\ntwo\n');
});
