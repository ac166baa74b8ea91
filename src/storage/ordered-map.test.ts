import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrderedMap } from './ordered-map.ts';

describe('OrderedMap', () => {
  it('agrees with a sorted array, for any run of insertions and deletions', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 1_500 }).map(String), remove: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 3_000, size: 'max' }),
        fc.string(),
        fc.string(),
        (steps, start, end) => {
          const map = new OrderedMap<string>();
          const model = new Set<string>();
          let agreed = true;
          for (const { key, remove } of steps) {
            agreed &&= !remove || map.delete(key) === model.delete(key);
            if (!remove) {
              map.set(key, key);
              model.add(key);
            }
          }
          expect(agreed).toBe(true);
          const sorted = [...model].sort();
          expect(map.size).toBe(sorted.length);
          expect([...map.range({ start: '' })]).toEqual(sorted);
          const inside = sorted.filter((key) => key >= start && key < end);
          expect([...map.range({ start, end })]).toEqual(inside);
          expect(map.count({ start, end })).toBe(inside.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('holds keys beyond one chunk in order, whichever way they come', () => {
    const ascending = new OrderedMap<number>();
    const descending = new OrderedMap<number>();
    const keys = Array.from({ length: 5_000 }, (_, index) => String(index).padStart(5, '0'));
    for (const key of keys) ascending.set(key, Number(key));
    for (const key of keys.toReversed()) descending.set(key, Number(key));
    expect([...ascending.range({ start: '04990' })]).toEqual([...descending.range({ start: '04990' })]);
    expect(descending.count({ start: '01000', end: '02000' })).toBe(1_000);
    expect(ascending.get('03333')).toBe(3_333);
    expect(ascending.get('x')).toBeUndefined();
  });
});
