import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml } from './parse-yaml.ts';
import { toYaml } from './to-yaml.ts';

describe('toYaml', () => {
  it('writes collections as kubectl does', () => {
    const value = {
      b: [{ y: 1, x: [] }, [1, 2], 'a'],
      a: {},
      c10: null,
      c9: { d: true },
      skipped: undefined,
    };
    expect(toYaml(value)).toBe(
      'a: {}\nb:\n- x: []\n  "y": 1\n- - 1\n  - 2\n- a\nc9:\n  d: true\nc10: null\n',
    );
  });

  it.each([
    ['', '""'],
    ['plain text', 'plain text'],
    ['yes', '"yes"'],
    ['0777', '"0777"'],
    ['1e3', '"1e3"'],
    ['2020-01-01T00:00:00Z', '"2020-01-01T00:00:00Z"'],
    ['1:30', '"1:30"'],
    ['null', '"null"'],
    ['- a', "'- a'"],
    ['*x', "'*x'"],
    ['a: b', "'a: b'"],
    ["it's: x", "'it''s: x'"],
    ['a #b', "'a #b'"],
    ['a#b:c', 'a#b:c'],
    [' lead', "' lead'"],
    ['a\tb', '"a\\tb"'],
    ['日本', '日本'],
    ['😀', '"\\U0001F600"'],
    ['a\nb', '|-\n  a\n  b'],
    ['a\nb\n', '|\n  a\n  b'],
    ['a\n\n', '|+\n  a\n'],
    [' a\nb', '|2-\n   a\n  b'],
    ['a \nb', '"a \\nb"'],
    [`${'word '.repeat(20)}end`, `${'word '.repeat(15)}word\n  word word word word end`],
  ])('writes the string %j', (text, written) => {
    expect(toYaml({ a: text })).toBe(`a: ${written}\n`);
  });

  it.each([
    [1, '1'],
    [-0.5, '-0.5'],
    [1e21, '1e+21'],
    [1e-7, '1e-07'],
    [9_007_199_254_740_993n, '9007199254740993'],
    [true, 'true'],
    [null, 'null'],
  ])('writes %s', (value, written) => {
    expect(toYaml(value)).toBe(`${written}\n`);
  });

  it('writes what parseYaml reads back', () => {
    const strings = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('a', ' ', ':', '#', '-', '\n', "'", '"', '0', 'word '), { maxLength: 60 })
        .map((parts) => parts.join('')),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        strings,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree')),
        fc.dictionary(strings, tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(parseYaml(toYaml({ a: [plain] })).value).toEqual({ a: [plain] });
      }),
    );
  });
});
