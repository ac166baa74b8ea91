import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../machinery/field-error.ts';
import type { Live } from '../../machinery/object.ts';
import { configMaps } from './config-maps.ts';
import type { ConfigMap } from './v1.gen.ts';

type Fields = Omit<Partial<ConfigMap>, 'metadata'>;

function configMap(fields: Fields): Live<ConfigMap> {
  const metadata = {
    name: 'cm',
    namespace: 'n',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...fields };
}

function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

const badKey =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

describe('config maps', () => {
  it.each<[string, Fields, string[]]>([
    ['nothing', {}, []],
    ['texts and bytes', { data: { 'a.txt': '' }, binaryData: { b: 'AQI=' } }, []],
    ['a key of other characters', { data: { 'a b': '' } }, [`data[a b]: Invalid value: "a b": ${badKey}`]],
    ['no key', { binaryData: { '': '' } }, [`binaryData[]: Invalid value: "": ${badKey}`]],
    ['a key that is a folder', { data: { '..': '' } }, [`data[..]: Invalid value: "..": must not be '..'`]],
    [
      'a key that climbs',
      { data: { '..a': '' } },
      [`data[..a]: Invalid value: "..a": must not start with '..'`],
    ],
    [
      'one key twice',
      { data: { k: '' }, binaryData: { k: '' } },
      ['data[k]: Invalid value: "k": duplicate of key present in binaryData'],
    ],
    ['just fits', { data: { k: 'x'.repeat(1_048_574) }, binaryData: { b: 'AQI=' } }, []],
    [
      'too large',
      { data: { k: 'x'.repeat(1_048_575) }, binaryData: { b: 'AQI=' } },
      [': Too long: may not be more than 1048576 bytes'],
    ],
  ])('validate %s', (_name, fields, errors) => {
    expect(texts(configMaps.validate?.(configMap(fields)))).toEqual(errors);
  });

  const frozen = 'Forbidden: field is immutable when `immutable` is set';

  it.each<[string, Fields, Fields, string[]]>([
    ['may change', { data: { a: '1' } }, { data: { a: '2' } }, []],
    ['may be frozen', {}, { immutable: true }, []],
    [
      'stay as they are when frozen',
      { immutable: true, data: { a: '1' } },
      { immutable: true, data: { a: '1' } },
      [],
    ],
    [
      'keep their data when frozen',
      { immutable: true, data: { a: '1' } },
      { immutable: true },
      [`data: ${frozen}`],
    ],
    [
      'cannot be thawed',
      { immutable: true },
      { binaryData: { a: 'AQI=' } },
      [`immutable: ${frozen}`, `binaryData: ${frozen}`],
    ],
  ])('%s', (_name, old, next, errors) => {
    expect(texts(configMaps.validateUpdate?.(configMap(next), configMap(old)))).toEqual(errors);
  });

  it('print how much they hold, and their age', () => {
    const now = Date.parse('2026-01-01T00:05:30Z');
    const row = configMap({ data: { a: '', b: '' }, binaryData: { c: '' } });
    expect(configMaps.columns?.map((column) => column.cell(row, now))).toEqual(['cm', 3, '5m30s']);
  });
});
