import { expect, it } from 'vitest';
import { parseNameServers } from './name-servers.ts';

it('reads the name servers of a resolv.conf in order', () => {
  const text = `# made by hand
search example.com
nameserver 127.0.0.53
  nameserver fe80::1%eth0
nameserver not-an-address
options ndots:5
nameserver 192.0.2.53 # second
`;
  expect(parseNameServers(text)).toEqual(['127.0.0.53', 'fe80::1', '192.0.2.53']);
});
