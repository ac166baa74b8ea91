import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Container } from '../api/core/v1.gen.ts';
import { makeTerminationLog, terminationMessage } from './termination-message.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kanoe-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('makeTerminationLog', () => {
  it('makes an empty file that any user may write, in a folder that may be missing', async () => {
    const path = join(folder, 'termination-logs', 'main-0');
    await makeTerminationLog(path);
    const { mode, size } = await stat(path);
    expect([mode & 0o777, size]).toEqual([0o666, 0]);
  });

  it('empties what is left of an earlier start', async () => {
    const path = join(folder, 'main-0');
    await writeFile(path, 'old');
    await makeTerminationLog(path);
    expect((await stat(path)).size).toBe(0);
  });
});

describe('terminationMessage', () => {
  const log = '2026-01-01T00:00:00Z stdout F one\n2026-01-01T00:00:01Z stderr F two\n';

  it.each<
    [string, Pick<Container, 'terminationMessagePolicy'> & { written: string; exitCode: number }, string]
  >([
    [
      'is the file',
      { written: 'DONE', terminationMessagePolicy: 'FallbackToLogsOnError', exitCode: 1 },
      'DONE',
    ],
    [
      'is the end of the log after a failure, if asked for',
      { written: '', terminationMessagePolicy: 'FallbackToLogsOnError', exitCode: 1 },
      'one\ntwo\n',
    ],
    [
      'is empty after success',
      { written: '', terminationMessagePolicy: 'FallbackToLogsOnError', exitCode: 0 },
      '',
    ],
    ['is empty without the policy', { written: '', terminationMessagePolicy: 'File', exitCode: 1 }, ''],
    [
      'is the last 4096 bytes',
      { written: `a${'b'.repeat(4096)}`, terminationMessagePolicy: 'File', exitCode: 0 },
      'b'.repeat(4096),
    ],
  ])('%s', async (_name, { written, exitCode, ...policy }, expected) => {
    const [file, logPath] = [join(folder, 'message'), join(folder, 'log')];
    await makeTerminationLog(file);
    await writeFile(file, written);
    await writeFile(logPath, log);
    const container = { name: 'main', ...policy };
    expect(await terminationMessage(container, { file, logPath, exitCode })).toBe(expected);
  });
});
