import { describe, expect, it } from 'vitest';
import { SortedEntries } from './sorted-entries.ts';

const entry = (key: string, value = 0): { key: string; value: number } => ({ key, value });
const keys = (
  entries: SortedEntries<{ key: string; value: number }>,
  prefix = '',
  after?: string,
): string[] => [...entries.range(prefix, after)].map(({ key }) => key);

describe('SortedEntries', () => {
  it('keeps order over many inserts and removals, and old versions as they were', () => {
    let entries = SortedEntries.empty<{ key: string; value: number }>();
    const names = Array.from(
      { length: 2000 },
      (_unused, index) => `k${String((index * 7919) % 2000).padStart(4, '0')}`,
    );
    for (const name of names) entries = entries.with(entry(name));
    const full = entries;
    for (const name of names.slice(0, 1000)) entries = entries.without(name);
    expect(full.size).toBe(2000);
    expect(keys(full)).toEqual(names.toSorted());
    expect(entries.size).toBe(1000);
    expect(keys(entries)).toEqual(names.slice(1000).toSorted());
  });

  it('replaces an entry without growing', () => {
    const before = SortedEntries.from([entry('a'), entry('b'), entry('c')]);
    const after = before.with(entry('b', 1));
    expect([after.size, after.get('b')?.value, before.get('b')?.value]).toEqual([3, 1, 0]);
  });

  it.each([
    { name: 'a prefix', prefix: 'b/', after: undefined, found: ['b/1', 'b/2', 'b/3'] },
    { name: 'what follows a key', prefix: 'b/', after: 'b/1', found: ['b/2', 'b/3'] },
    { name: 'what follows a key that is gone', prefix: 'b/', after: 'b/15', found: ['b/2', 'b/3'] },
    { name: 'nothing behind the last', prefix: 'b/', after: 'b/3', found: [] },
    { name: 'nothing of an absent prefix', prefix: 'bb/', after: undefined, found: [] },
  ])('ranges over $name', ({ prefix, after, found }) => {
    const entries = SortedEntries.from(['a/1', 'b/1', 'b/2', 'b/3', 'c/1'].map((key) => entry(key)));
    expect(keys(entries, prefix, after)).toEqual(found);
  });

  it('counts what follows a key', () => {
    const names = Array.from({ length: 1000 }, (_, at) => `b/${String(at).padStart(4, '0')}`);
    const entries = SortedEntries.from(['a/1', ...names, 'c/1'].map((key) => entry(key)));
    expect(['b/0000', 'b/0500', 'b/0999'].map((key) => entries.countAfter('b/', key))).toEqual([999, 499, 0]);
    expect([entries.countAfter('', 'a/1'), entries.countAfter('c/', 'c/1')]).toEqual([1001, 0]);
  });
});
