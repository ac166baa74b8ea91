import { describe, expect, it } from 'vitest';
import { formatIpv4, formatIpv4Range, inIpv4Range, ipv4Subrange, parseIpv4, parseIpv4Range } from './ipv4.ts';

const range = parseIpv4Range('10.244.0.0/16') ?? { network: 0, prefix: 0, size: 0 };

describe('IPv4 addresses', () => {
  it.each(['0.0.0.0', '10.96.0.10', '255.255.255.255'])('reads and writes %s', (text) => {
    expect(formatIpv4(parseIpv4(text) ?? -1)).toBe(text);
  });

  it.each(['', '1.2.3', '1.2.3.4.5', '256.1.1.1', '01.2.3.4', '1.2.3.x', '::1'])('refuses "%s"', (text) => {
    expect(parseIpv4(text)).toBeUndefined();
  });
});

describe('IPv4 ranges', () => {
  it.each([
    ['10.244.7.9/16', '10.244.0.0/16'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['192.168.1.1/32', '192.168.1.1/32'],
  ])('reads %s as %s', (text, expected) => {
    expect(formatIpv4Range(parseIpv4Range(text) ?? range)).toBe(expected);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', 'fd00::/8', '10.0.0.0/8/8'])('refuses "%s"', (text) => {
    expect(parseIpv4Range(text)).toBeUndefined();
  });

  it.each([
    [0, '10.244.0.0/24'],
    [3, '10.244.3.0/24'],
    [-1, '10.244.255.0/24'],
  ])('cuts out part %i', (index, expected) => {
    const part = ipv4Subrange(range, 24, index);
    expect(part && formatIpv4Range(part)).toBe(expected);
  });

  it('has no part beyond its end', () => {
    expect(ipv4Subrange(range, 24, 256)).toBeUndefined();
    expect(ipv4Subrange(range, 8, 0)).toBeUndefined();
  });

  it('has its first and last address and no others', () => {
    expect(
      ['10.243.255.255', '10.244.0.0', '10.244.255.255', '10.245.0.0'].map((text) =>
        inIpv4Range(range, parseIpv4(text) ?? -1),
      ),
    ).toEqual([false, true, true, false]);
  });
});
