import { describe, expect, it } from 'vitest';
import { parseManifests } from './parse-manifests.ts';
import { parseYaml } from './parse-yaml.ts';

describe('parseYaml', () => {
  it.each([
    ['yes', true],
    ['y', true],
    ['off', false],
    ['tRue', 'tRue'],
    ['~', null],
    ['', null],
    ['0777', 511],
    ['0o17', 15],
    ['08', 8],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['1e3', 1000],
    ['-.5', -0.5],
    ['1:30', '1:30'],
    ['2020-01-01', '2020-01-01'],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['"yes"', 'yes'],
    ['!!str 5', '5'],
    ['!!binary aGk=', 'hi'],
    ['{yes: 1, 2: b}', { true: 1, '2': 'b' }],
    ['{"__proto__": 1}', JSON.parse('{"__proto__": 1}')],
    ['a: &x {b: 1}\nc: {<<: *x, d: 2}', { a: { b: 1 }, c: { b: 1, d: 2 } }],
    ['a: |\n  x\n  y\nb: >-\n  x\n  y', { a: 'x\ny\n', b: 'x y' }],
  ])('reads %j', (text, value) => {
    expect(parseYaml(text).value).toEqual(value);
  });

  it('reports repeated keys with their lines and keeps the last', () => {
    const text = 'data:\n  a: 1\n  b: [{c: 1,\n    c: 2}]\n  a: 3\n';
    expect(parseYaml(text)).toEqual({
      value: { data: { a: 3, b: [{ c: 2 }] } },
      duplicates: ['line 4: key "c" already set in map', 'line 5: key "a" already set in map'],
    });
  });

  it.each([
    ['a: [1, 2', 1],
    ['a: 1\n  b: 2', 2],
    ['a: 1\nb: *nope', 2],
    ['a: 1\n? [x]\n: 2', 1],
    ['a: "x', 1],
  ])('says in which line %j is wrong', (text, line) => {
    expect(() => parseYaml(text)).toThrow(expect.objectContaining({ code: 'YAML', line }));
  });

  it('refuses documents that grow by aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let index = 1; index < 9; index += 1)
      lines.push(`a${index}: &a${index} [${Array.from({ length: 10 }, () => `*a${index - 1}`).join(', ')}]`);
    expect(() => parseYaml(lines.join('\n'))).toThrow('document contains excessive aliasing');
  });
});

describe('parseManifests', () => {
  it('reads the documents of a file with the lines on which they begin', () => {
    const text =
      '# a file\nkind: A\n---\n---\n# nothing\n--- # the second\nkind: B\n---\n{"kind": "C",\n\t"n": 9007199254740993}\n';
    expect(parseManifests(text, { file: 'x.yaml' })).toEqual([
      { file: 'x.yaml', line: 1, object: { kind: 'A' }, duplicates: [] },
      { file: 'x.yaml', line: 6, object: { kind: 'B' }, duplicates: [] },
      { file: 'x.yaml', line: 8, object: { kind: 'C', n: 9_007_199_254_740_993n }, duplicates: [] },
    ]);
  });

  it('names file and line of what it cannot read', () => {
    expect(() => parseManifests('kind: A\n---\nkind: B\n  x: [\n', { file: 'pod.yaml' })).toThrow(
      /^error parsing pod\.yaml: error converting YAML to JSON: yaml: line 4: /,
    );
    expect(() => parseManifests('kind: A\n---\n- 1\n', { file: 'pod.yaml' })).toThrow(
      'error parsing pod.yaml: error converting YAML to JSON: yaml: line 2: a manifest must be an object with apiVersion and kind',
    );
  });
});
