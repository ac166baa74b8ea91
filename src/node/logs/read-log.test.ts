import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { readLog } from './read-log.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kanoe-'));
});
afterEach(() => rm(folder, { recursive: true }));

const line = (text: string): string => `2026-01-01T00:00:00.000000000Z stdout F ${text}\n`;

/** What a follower reads; `write` is done while it follows, then the container is over. */
async function followed(path: string, write: () => Promise<void>): Promise<string> {
  let over = false;
  const options = {
    clock: systemClock,
    signal: new AbortController().signal,
    follow: true,
    since: undefined,
    isOver: () => over,
  };
  const read = (async () => {
    const parts: Buffer[] = [];
    for await (const part of readLog(path, options)) parts.push(part);
    return Buffer.concat(parts).toString();
  })();
  await write();
  over = true;
  return read;
}

describe('following a log', () => {
  it('waits for the first line of a container that has said nothing yet', async () => {
    const path = join(folder, '0.log');
    const text = await followed(path, async () => {
      await new Promise((done) => setImmediate(done));
      await writeFile(path, line('late'));
    });
    expect(text).toBe('late\n');
  });

  it('goes on with what is written behind what there was', async () => {
    const path = join(folder, '0.log');
    await writeFile(path, line('early'));
    expect(await followed(path, () => appendFile(path, line('late')))).toBe('early\nlate\n');
  });

  it('ends with a container that never says anything', async () => {
    expect(await followed(join(folder, '0.log'), () => Promise.resolve())).toBe('');
  });
});
