import { describe, expect, it } from 'vitest';
import { readTypeMeta } from './type-meta.ts';

const struct =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

describe('readTypeMeta', () => {
  it.each([
    ['{"spec":{"kind":5},"kind":"Pod","apiVersion":"v1"}', { apiVersion: 'v1', kind: 'Pod' }],
    ['{"kind":null}', { apiVersion: '', kind: '' }],
    ['null', { apiVersion: '', kind: '' }],
  ])('reads %s', (text, typeMeta) => {
    expect(readTypeMeta(Buffer.from(text))).toEqual(typeMeta);
  });

  it.each([
    ['{"kind":5}', 'json: cannot unmarshal number into Go struct field .kind of type string'],
    ['[]', `json: cannot unmarshal array into Go value of type ${struct}`],
    ['{"kind":5', 'unexpected end of JSON input'],
    ['hello', "invalid character 'h' looking for beginning of value"],
  ])('refuses %s', (text, problem) => {
    expect(() => readTypeMeta(Buffer.from(text))).toThrow(
      `couldn't get version/kind; json parse error: ${problem}`,
    );
  });
});
