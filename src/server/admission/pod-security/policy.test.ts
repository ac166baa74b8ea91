import { expect, it } from 'vitest';
import { policyOf, printLevel } from './policy.ts';

it.each<[string, Record<string, string>, string]>([
  ['nothing is stated', {}, 'privileged:latest'],
  ['a level is enforced', { enforce: 'restricted', 'enforce-version': 'v1.30' }, 'restricted:v1.30'],
  [
    'a level is enforced, and only the version to warn of is stated',
    { enforce: 'baseline', 'enforce-version': 'v1.30', 'warn-version': 'v1.35' },
    'baseline:v1.35',
  ],
  ['the level to warn of is stated', { enforce: 'restricted', warn: 'privileged' }, 'privileged:latest'],
  ['what is enforced cannot be read', { enforce: 'odd' }, 'privileged:latest'],
])('what to warn of when %s', (_name, labels, warn) => {
  const named = Object.entries(labels).map(([name, value]) => [`pod-security.kubernetes.io/${name}`, value]);
  expect(printLevel(policyOf(Object.fromEntries(named)).policy.warn)).toBe(warn);
});
