import { expect, it } from 'vitest';
import { idFlags, outsideCommand, rootlessLimitations } from './means.ts';

it('asks for the users of /etc/subuid where they can be had', () => {
  expect(idFlags('one')).toEqual(['--user', '--map-root-user']);
  expect(idFlags('many')).toEqual(['--user', '--map-root-user', '--map-auto']);
});

it('carries packets, but not to the loopback of the machine', () => {
  expect(outsideCommand('slirp4netns', 7).join(' ')).toBe(
    'slirp4netns --configure --mtu=65520 --disable-host-loopback --exit-fd=3 7 tap0',
  );
  const pasta = outsideCommand('pasta', 7).join(' ');
  expect(pasta).toMatch(/^setpriv --pdeathsig KILL pasta .*--no-map-gw .* 7$/);
});

it.each([
  { means: { ids: 'one', outside: 'none' }, links: [], says: ['the one user root', 'do not reach'] },
  { means: { ids: 'many', outside: 'none' }, links: ['lo'], says: ['65536 users', 'do not reach'] },
  { means: { ids: 'many', outside: 'pasta' }, links: ['tap0'], says: ['65536 users', 'pasta carries'] },
  { means: { ids: 'one', outside: 'slirp4netns' }, links: ['lo'], says: ['one user', 'do not reach'] },
] as const)('says what it is like with $means and $links', ({ means, links, says }) => {
  const [users, limits, world] = rootlessLimitations(means, links);
  expect(users).toContain(says[0]);
  expect(limits).toContain('limits are not enforced');
  expect(world).toContain(says[1]);
});
