import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { execFailure } from './failure-message.ts';

describe('why a command could not be started in a container', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exec-failure-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each<[name: string, log: string | undefined, message: string | undefined]>([
    [
      "is crun's message in the words of containerd",
      '{"msg": "executable file `none` not found in $PATH: No such file or directory", "level": "error", "time": "2026-01-01T00:00:00Z"}\n',
      'failed to exec in container: OCI runtime exec failed: exec failed: unable to start container process: exec: "none": executable file not found in $PATH: unknown',
    ],
    [
      "is runc's last error",
      '{"level":"warning","msg":"odd"}\n{"level":"error","msg":"exec failed: no such container"}\n',
      'failed to exec in container: OCI runtime exec failed: exec failed: exec failed: no such container: unknown',
    ],
    ['is nothing after mere warnings', '{"level":"warning","msg":"odd"}\n', undefined],
    [
      'is nothing of what the command itself wrote to its terminal',
      '{"level":"error","msg":"mine","time":"now"}\r\n\n',
      undefined,
    ],
    ['is nothing without a log', undefined, undefined],
  ])('%s', async (_name, log, message) => {
    const file = join(folder, 'log');
    rmSync(file, { force: true });
    if (log !== undefined) writeFileSync(file, log);
    expect(await execFailure(file)).toBe(message);
  });
});
