import { describe, expect, it } from 'vitest';
import { RecentMap } from './recent-map.ts';

describe('RecentMap', () => {
  it('remembers at least as many as it is told, and forgets the others', () => {
    const map = new RecentMap<number, string>(3);
    for (let key = 0; key < 20; key++) map.set(key, String(key));
    expect([17, 18, 19].map((key) => map.get(key))).toEqual(['17', '18', '19']);
    expect(map.get(0)).toBeUndefined();
  });

  it('keeps what is used, however much else comes', () => {
    const map = new RecentMap<number, string>(3);
    map.set(-1, 'kept');
    for (let key = 0; key < 20; key++) {
      map.set(key, String(key));
      expect(map.get(-1)).toBe('kept');
    }
  });

  it('replaces values', () => {
    const map = new RecentMap<string, number>(2);
    for (const value of [1, 2, 3, 4, 5]) map.set('a', value);
    expect(map.get('a')).toBe(5);
  });

  it('tells what it forgets, once', () => {
    const forgotten: number[] = [];
    const map = new RecentMap<number, number>(2, (value) => forgotten.push(value));
    for (let key = 0; key < 7; key++) map.set(key, key);
    expect(forgotten).toEqual([0, 1, 2, 3]);
    expect([4, 5, 6].map((key) => map.get(key))).toEqual([4, 5, 6]);
  });
});
