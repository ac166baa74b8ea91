import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { CriLogWriter } from './cri-log-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'kanoe-log-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const time = '2026-01-01T00:00:00.000000000Z';

describe('CriLogWriter', () => {
  it('joins the parts of a line and keeps the streams apart', () => {
    const path = join(folder, 'parts.log');
    const log = new CriLogWriter({ path, clock: new FakeClock() });
    log.write('stdout', Buffer.from('one '));
    log.write('stderr', Buffer.from('bad\n'));
    log.write('stdout', Buffer.from('line\n\nend'));
    log.close();
    expect(readFileSync(path, 'utf8')).toBe(
      `${time} stderr F bad\n${time} stdout F one line\n${time} stdout F \n${time} stdout P end\n`,
    );
  });

  it('cuts a line of more than 16 KiB', () => {
    const path = join(folder, 'long.log');
    const log = new CriLogWriter({ path, clock: new FakeClock() });
    log.write('stdout', Buffer.from(`${'x'.repeat(16_385)}\n`));
    log.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => [line.split(' ')[2], line.split(' ')[3]?.length])).toEqual([
      ['P', 16_384],
      ['F', 1],
    ]);
  });

  it('sets a full file aside and keeps the newest', async () => {
    const path = join(folder, '0.log');
    const clock = new FakeClock();
    const log = new CriLogWriter({ path, clock, maxBytes: 10, maxFiles: 3 });
    for (let round = 1; round <= 5; round += 1) {
      await clock.advance(1000);
      log.write('stdout', Buffer.from(`${round}\n`));
      log.close();
    }
    const names = readdirSync(folder).filter((name) => name.startsWith('0.log'));
    expect(names.toSorted()).toEqual(['0.log', '0.log.20260101-000004', '0.log.20260101-000005']);
    const texts = names
      .toSorted()
      .map((name) => readFileSync(join(folder, name), 'utf8').trim().split(' ')[3]);
    expect(texts).toEqual(['5', '3', '4']);
  });
});
