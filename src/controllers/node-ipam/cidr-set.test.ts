import { describe, expect, it } from 'vitest';
import { parseIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';
import { CidrSet } from './cidr-set.ts';

function range(text: string): Ipv4Range {
  const parsed = parseIpv4Range(text);
  if (!parsed) throw new Error(text);
  return parsed;
}

describe('a set of networks', () => {
  it('hands out one after the other and starts over with those released', () => {
    const set = new CidrSet(range('10.0.0.0/22'), 24);
    const all = [1, 2, 3, 4, 5].map(() => set.allocate());
    set.release('10.0.1.0/24');
    set.release('10.0.3.0/24');
    expect([all, [set.allocate(), set.allocate(), set.allocate()]]).toEqual([
      ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24', undefined],
      ['10.0.1.0/24', '10.0.3.0/24', undefined],
    ]);
  });

  it.each([
    ['one of the same size', '10.0.1.0/24', ['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['a smaller one', '10.0.1.128/25', ['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['a larger one', '10.0.2.0/23', ['10.0.0.0/24', '10.0.1.0/24']],
    ['one around the whole range', '10.0.0.0/8', []],
    ['one below', '9.0.0.0/8', ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['one of another family', 'fd00::/64', ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24']],
  ])('leaves out what overlaps %s', (_, cidr, left) => {
    const set = new CidrSet(range('10.0.0.0/22'), 24);
    set.occupy(cidr);
    expect(left.map(() => set.allocate())).toEqual(left);
    expect(set.allocate()).toBeUndefined();
  });

  it('has none to give when they are larger than the range', () => {
    expect(new CidrSet(range('10.0.0.0/24'), 23).allocate()).toBeUndefined();
  });
});
