import { describe, expect, it } from 'vitest';
import type { DeepMutable, Live } from '../../machinery/object.ts';
import { secrets } from './secrets.ts';
import type { Secret } from './v1.gen.ts';

type Fields = Omit<Partial<Secret>, 'metadata'>;

function secret(fields: Fields): Live<Secret> {
  const metadata = {
    name: 's',
    namespace: 'n',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return { apiVersion: 'v1', kind: 'Secret', metadata, ...fields };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describe('secrets', () => {
  it('take texts into data, where texts win', () => {
    const written: DeepMutable<Secret> = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {},
      data: { user: base64('admin'), kept: base64('k') },
      stringData: { user: 'root', __proto__x: 'y' },
    };
    secrets.versions['v1']?.defaults?.(written);
    expect(written).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {},
      type: 'Opaque',
      data: { user: base64('root'), kept: base64('k'), __proto__x: base64('y') },
    });
  });

  it.each<[string, Fields, string[]]>([
    ['opaque', { type: 'Opaque' }, []],
    ['of a type of one’s own', { type: 'example.com/x' }, []],
    [
      'of an account without its name',
      { type: 'kubernetes.io/service-account-token' },
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
    ['basic auth with one half', { type: 'kubernetes.io/basic-auth', data: { password: '' } }, []],
    [
      'basic auth with none',
      { type: 'kubernetes.io/basic-auth' },
      ['data[username]: Required value', 'data[password]: Required value'],
    ],
    [
      'ssh with an empty key',
      { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
      ['data[ssh-privatekey]: Required value'],
    ],
    ['tls', { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }, ['data[tls.key]: Required value']],
    ['registry without its file', { type: 'kubernetes.io/dockercfg' }, ['data[.dockercfg]: Required value']],
    ['registry', { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('{}') } }, []],
    [
      'registry that is no JSON',
      { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{') } },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'],
    ],
    [
      'too large',
      { data: { a: base64('x'.repeat(1_048_577)) } },
      ['data: Too long: may not be more than 1048576 bytes'],
    ],
  ])('validate: %s', (_name, fields, errors) => {
    const found = secrets.validate?.(secret(fields)) ?? [];
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual(errors);
  });

  it('keep their type, and when frozen their data', () => {
    const old = secret({ type: 'Opaque', immutable: true, data: { a: '' } });
    const found = secrets.validateUpdate?.(secret({ type: 'x' }), old) ?? [];
    expect(found.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      'type: Invalid value: "x": field is immutable',
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
  });
});
