import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { terminalRest } from './terminal-rest.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'terminal-rest-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const entry = '{ "msg": "cgroups in hybrid mode", "level": "warning", "time": "2026-01-01T00:00:00.0Z" }\n';
/** As a program writes it to its terminal. */
const logged = entry.replace('\n', '\r\n');
const long = Array.from({ length: 90 }, (_, index) => `line ${index}\r\n`).join('');
const pieces = (text: string): string =>
  Array.from(
    { length: Math.ceil(text.length / 255) },
    (_, index) => `${text.slice(index * 255, (index + 1) * 255)}\n`,
  ).join('');

it.each([
  ['nothing', '', ''],
  ['entries alone', entry, ''],
  ['a line', 'one\r\n\n', 'one\r\n'],
  ['text without an end', 'one\n', 'one'],
  ['text after an entry', `${entry}{"a": 1}\r\n\n`, '{"a": 1}\r\n'],
  ['lines of a log that are like entries', `${entry}${logged}\n`, logged],
  ['several pieces', pieces(long), long],
  ['pieces of any size', 'one\r\n\ntw\no\r\n\n', 'one\r\ntwo\r\n'],
  ['a piece that ends between the two ends of a line', 'one\r\n\ntwo\r\n\n', 'one\r\ntwo\r\n'],
  ['a whole piece', pieces('x'.repeat(255)), 'x'.repeat(255)],
  ['two whole pieces', pieces('x'.repeat(510)), 'x'.repeat(510)],
])('finds %s', async (_name, log, expected) => {
  const file = join(folder, 'log');
  writeFileSync(file, log);
  expect(String(await terminalRest(file))).toBe(expected);
});

it('finds nothing without a log', async () => {
  expect(await terminalRest(join(folder, 'none'))).toHaveLength(0);
});
