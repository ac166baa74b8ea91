import { mkdtemp, readFile, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePayload, type Payload } from './atomic-writer.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'payload-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const payloadOf = (files: Readonly<Record<string, string>>, mode: number = 0o644): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

describe('a payload volume', () => {
  it('shows files through links, with their modes', async () => {
    await writePayload(directory, payloadOf({ a: 'A', 'deep/er/b': 'B' }, 0o640), undefined);
    expect(await readFile(join(directory, 'deep/er/b'), 'utf8')).toBe('B');
    expect(await readlink(join(directory, 'a'))).toBe('..data/a');
    expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o640);
  });

  it('swaps all files at once and drops those that went', async () => {
    await writePayload(directory, payloadOf({ a: '1', b: '1' }), undefined);
    const before = await readlink(join(directory, '..data'));
    expect(await writePayload(directory, payloadOf({ a: '2', c: '2' }), undefined)).toBe(true);
    expect((await readdir(directory)).filter((name) => !name.startsWith('..'))).toEqual(['a', 'c']);
    expect(await readFile(join(directory, 'a'), 'utf8')).toBe('2');
    expect(await readdir(directory)).not.toContain(before);
  });

  it('is left alone when nothing changed', async () => {
    await writePayload(directory, payloadOf({ a: '1' }), undefined);
    const before = await readlink(join(directory, '..data'));
    expect(await writePayload(directory, payloadOf({ a: '1' }), undefined)).toBe(false);
    expect(await readlink(join(directory, '..data'))).toBe(before);
  });
});
