import { describe, expect, it } from 'vitest';
import type { Secret, ServiceAccount } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { accountNameOf, belongsTo, filledSecret, tokenSecretType } from './plan.ts';

const born = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const name = 'kubernetes.io/service-account.name';
const uid = 'kubernetes.io/service-account.uid';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const account: Live<ServiceAccount> = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'robot', namespace: 'n', uid: 'u1', ...born },
};

function secret(annotations: Record<string, string>, data?: Record<string, string>): Live<Secret> {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'n', uid: 's1', annotations, ...born },
    type: tokenSecretType,
    ...(data && { data }),
  };
}

const options = { ca: 'CA', sign: (claims: object): string => JSON.stringify(claims) };
const token = JSON.stringify({
  namespace: 'n',
  secretName: 's',
  serviceAccount: { name: 'robot', uid: 'u1' },
});
const filled = { 'ca.crt': base64('CA'), namespace: base64('n'), token: base64(token) };

describe('accountNameOf', () => {
  it('knows the account of a token secret alone', () => {
    expect(accountNameOf(secret({ [name]: 'robot' }))).toBe('robot');
    expect(accountNameOf({ ...secret({ [name]: 'robot' }), type: 'Opaque' })).toBeUndefined();
  });
});

describe('belongsTo', () => {
  it.each<[string, Record<string, string>, boolean]>([
    ['named only', { [name]: 'robot' }, true],
    ['of this account', { [name]: 'robot', [uid]: 'u1' }, true],
    ['of an earlier account of the name', { [name]: 'robot', [uid]: 'u0' }, false],
    ['of another account', { [name]: 'other', [uid]: 'u1' }, false],
  ])('a secret %s', (_, annotations, expected) => {
    expect(belongsTo(secret(annotations), account)).toBe(expected);
  });
});

describe('filledSecret', () => {
  it('adds what is missing', () => {
    const result = filledSecret(secret({ [name]: 'robot' }), account, options);
    expect([result?.data, result?.metadata.annotations]).toEqual([filled, { [name]: 'robot', [uid]: 'u1' }]);
  });

  it('keeps a token and a namespace that are there, and renews the authority', () => {
    const before = { 'ca.crt': base64('old'), namespace: base64('else'), token: base64('t') };
    const result = filledSecret(secret({ [name]: 'robot', [uid]: 'u1' }, before), account, options);
    expect(result?.data).toEqual({ ...before, 'ca.crt': base64('CA') });
  });

  it('has nothing to do when all is there', () => {
    expect(filledSecret(secret({ [name]: 'robot', [uid]: 'u1' }, filled), account, options)).toBeUndefined();
  });
});
