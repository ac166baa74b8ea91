import { expect, it } from 'vitest';
import { parseFibTrie } from './host-addresses.ts';

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
