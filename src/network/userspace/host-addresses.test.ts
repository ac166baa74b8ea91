import { expect, it } from 'vitest';
import { parseFibTrie, parseIfInet6 } from './host-addresses.ts';

it('finds the addresses of the machine, and no networks, broadcasts or local ranges', () => {
  const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.96.0.0/16 2 0 2
        |-- 10.96.0.0
           /16 host LOCAL
     |-- 10.244.0.1
        /32 host LOCAL
Local:
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     |-- 10.244.0.1
        /32 host LOCAL
`;
  expect(parseFibTrie(trie)).toEqual(['10.244.0.1', '127.0.0.1']);
});

it('reads the IPv6 addresses that are more than a link’s', () => {
  const text = `00000000000000000000000000000001 01 80 10 80       lo
fe8000000000000000fc00fffe000001 04 40 20 80     eth0
fd000000000000000000000000000002 04 40 00 82     eth0
`;
  expect(parseIfInet6(text)).toEqual(['::1', 'fd00::2']);
});
