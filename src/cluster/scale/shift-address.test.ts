import { expect, it } from 'vitest';
import { shiftAddress, shiftNetwork } from './shift-address.ts';

it.each([
  ['10.0.0.0/24', 0, '10.0.0.0/24'],
  ['10.0.0.1/24', 2, '10.0.2.1/24'],
  ['10.0.255.0/24', 1, '10.1.0.0/24'],
])('the network %s, %i later', (cidr, index, expected) => {
  expect(shiftNetwork(cidr, index)).toBe(expected);
});

it('addresses, and what is none', () => {
  expect(shiftAddress('10.0.0.255', 1)).toBe('10.0.1.0');
  expect(() => shiftAddress('255.255.255.255', 1)).toThrow('beyond');
  expect(() => shiftNetwork('nope', 1)).toThrow('not an IPv4 network');
});
