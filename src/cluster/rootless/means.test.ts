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
  ['one', 'none', [], 'the one user root', 'do not reach'],
  ['many', 'none', ['lo'], '65536 users', 'do not reach'],
  ['many', 'pasta', ['lo', 'tap0'], '65536 users', 'pasta carries'],
  ['one', 'slirp4netns', ['lo', 'tap0'], 'the one user root', 'slirp4netns carries'],
  ['one', 'slirp4netns', ['lo'], 'the one user root', 'do not reach'],
] as const)('says what it is like with %s and %s', (ids, outside, links, users, world) => {
  const [first, second, third] = rootlessLimitations({ ids, outside }, links);
  expect(first).toContain(users);
  expect(second).toContain('limits are not enforced');
  expect(third).toContain(world);
});
