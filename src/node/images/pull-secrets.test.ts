import { describe, expect, it } from 'vitest';
import type { Secret } from '../../api/core/v1.gen.ts';
import { pullCredentials } from './pull-secrets.ts';

function secret(data: Readonly<Record<string, unknown>>): Secret {
  const encoded = Object.entries(data).map(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [key, Buffer.from(text).toString('base64')] as const;
  });
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: Object.fromEntries(encoded) };
}

const login = { username: 'me', password: 'a:b' };
const auth = Buffer.from('me:a:b').toString('base64');
const found = { registry: 'r.example', username: 'me', password: 'a:b' };

describe('a pull secret', () => {
  it.each([
    ['holds logins by registry', { '.dockerconfigjson': { auths: { 'r.example': login } } }, [found]],
    ['may encode them', { '.dockerconfigjson': { auths: { 'https://r.example/v1/': { auth } } } }, [found]],
    ['may have the old form', { '.dockercfg': { 'r.example': login } }, [found]],
    ['may be damaged', { '.dockerconfigjson': '{' }, []],
    ['may hold something else', { other: '{}' }, []],
  ])('%s', (_name, data, credentials) => {
    expect(pullCredentials(secret(data))).toEqual(credentials);
  });
});
