import { expect, it } from 'vitest';
import { parseIpv4, parseIpv4Range } from './ipv4.ts';
import { formatIpv6Range, parseIpv6Range } from './ipv6.ts';
import { pairedAddress, pairedRange } from './paired-ranges.ts';

const pair = {
  ipv4: parseIpv4Range('10.244.0.0/16') ?? { network: 0, prefix: 0, size: 0 },
  ipv6: parseIpv6Range('fd00:10:244::/56') ?? { network: 0n, prefix: 0 },
};

it.each([
  ['10.244.0.1', 'fd00:10:244::1'],
  ['10.244.3.7', 'fd00:10:244:3::7'],
  ['10.244.255.254', 'fd00:10:244:ff::fe'],
])('%s goes with %s', (ipv4, ipv6) => {
  expect(pairedAddress(pair, parseIpv4(ipv4) ?? 0)).toBe(ipv6);
});

it('gives each /24 a /64', () => {
  const part = { network: parseIpv4('10.244.9.0') ?? 0, prefix: 24, size: 256 };
  expect(formatIpv6Range(pairedRange(pair, part))).toBe('fd00:10:244:9::/64');
});
