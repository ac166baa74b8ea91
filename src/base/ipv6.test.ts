import { expect, it } from 'vitest';
import { formatIpv6, inIpv6Range, parseIpv6, parseIpv6Range } from './ipv6.ts';

it.each([
  ['::', 0n],
  ['::1', 1n],
  ['fd00:0:0:1::0', 0xfd00_0000_0000_0001_0000_0000_0000_0000n],
  ['2001:DB8::a:0:0:1', 0x2001_0db8_0000_0000_000a_0000_0000_0001n],
  ['1:2:3:4:5:6:7:8', 0x0001_0002_0003_0004_0005_0006_0007_0008n],
  ['::ffff:10.0.0.1', 0xffff_0a00_0001n],
])('reads %s', (text, number) => {
  expect(parseIpv6(text)).toBe(number);
});

it.each([
  '',
  ':',
  '1',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  'g::',
  '10.0.0.1',
  '::10.0.0.256',
])('does not take %j for an address', (text) => {
  expect(parseIpv6(text)).toBeUndefined();
});

it.each([
  ['fd00::/8', 'fdff::1', true],
  ['fd00:1::/32', 'fd00:2::1', false],
  ['::/0', '2001:db8::1', true],
  ['fd00::5/128', 'fd00::5', true],
  ['fd00::5/128', 'fd00::6', false],
])('%s has %s: %s', (range, address, inside) => {
  const parsed = parseIpv6Range(range);
  expect(parsed && inIpv6Range(parsed, parseIpv6(address) ?? 0n)).toBe(inside);
});

it.each(['fd00::', 'fd00::/129', 'fd00::/8/8', '10.0.0.0/8'])('does not take %j for a range', (text) => {
  expect(parseIpv6Range(text)).toBeUndefined();
});

it.each([
  '::',
  '::1',
  'fd00::',
  'fd00:0:1::2',
  '1:2:3:4:5:6:7:8',
  '1:0:2::3:4:5',
  'a::b:0:0:c',
  '1:2:3:4:5:6:7:0',
])('writes %s', (text) => {
  expect(formatIpv6(parseIpv6(text) ?? 0n)).toBe(text);
});
