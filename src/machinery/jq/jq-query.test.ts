import { describe, expect, it } from 'vitest';
import { JqError } from './jq-error.ts';
import { jqCompiler } from './jq-query.ts';

const compile = jqCompiler({ now: () => 1_700_000_000_000 });
const pod = {
  metadata: { name: 'p', ownerReferences: [{ kind: 'Job' }, { kind: 'X' }], annotations: { 'a.b/c': 'v' } },
  status: {
    phase: 'Running',
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Other', status: 'False' },
    ],
  },
};

describe('queries', () => {
  it.each<[string, unknown, unknown[]]>([
    ['.', 1, [1]],
    ['.metadata.name', pod, ['p']],
    ['.metadata.nope.deeper', pod, [null]],
    ['.metadata.annotations["a.b/c"]', pod, ['v']],
    ['.metadata.annotations."a.b/c"', pod, ['v']],
    ['.metadata.ownerReferences.[].kind', pod, ['Job', 'X']],
    ['.status.conditions.[] | select( .type == "Ready" ) | .status', pod, ['True']],
    ['.status.conditions[] | select(.type == "Nope") | .status', pod, []],
    ['.[1:3]', [1, 2, 3, 4], [[2, 3]]],
    ['.[-1]', [1, 2], [2]],
    ['.a, .b', { a: 1, b: 2 }, [1, 2]],
    ['.a // "d"', { a: null }, ['d']],
    ['.[]?', 1, []],
    ['1 + 2 * 3 - 4 / 2', null, [5]],
    ['7 % 3, -7 % 3', null, [1, -1]],
    ['"a" + "b", [1] + [2], {a: 1} + {b: 2}', null, ['ab', [1, 2], { a: 1, b: 2 }]],
    ['{a: {b: 1}} * {a: {c: 2}}', null, [{ a: { b: 1, c: 2 } }]],
    ['[.[] | . * 2]', [1, 2], [[2, 4]]],
    ['{a, b: .c, "d": 1, (.a): 2}', { a: 'x', c: 3 }, [{ a: 'x', b: 3, d: 1, x: 2 }]],
    ['"n \\(.a + 1)!"', { a: 1 }, ['n 2!']],
    ['if . > 1 then "big" elif . == 1 then "one" else "small" end', 1, ['one']],
    ['reduce .[] as $x (0; . + $x)', [1, 2, 3], [6]],
    ['[foreach .[] as $x (0; . + $x)]', [1, 2, 3], [[1, 3, 6]]],
    ['. as {a: $x, b: [$y, $z]} | $x + $y + $z', { a: 1, b: [2, 3] }, [6]],
    ['[limit(2; range(10))]', null, [[0, 1]]],
    ['[.[] | select(. != null)] | length', [1, null, 2], [2]],
    ['map(. + 1) | add', [1, 2], [5]],
    ['to_entries', { a: 1 }, [[{ key: 'a', value: 1 }]]],
    ['with_entries(.value += 1)', { a: 1 }, [{ a: 2 }]],
    ['any(. > 1), all(. > 1)', [1, 2], [true, false]],
    ['sort_by(.a) | map(.a)', [{ a: 2 }, { a: 1 }], [[1, 2]]],
    ['group_by(.a) | length', [{ a: 1 }, { a: 2 }, { a: 1 }], [2]],
    ['unique, min, max', [2, 1, 2], [[1, 2], 1, 2]],
    ['keys, length', { b: 1, a: 2 }, [['a', 'b'], 2]],
    ['has("a"), (["a"] | contains(["a"])), ("a" | in({a: 1}))', { a: 1 }, [true, true, true]],
    ['split(",") | join("-")', 'a,b', ['a-b']],
    ['test("^a.c$"), [match("b").offset]', 'abc', [true, [1]]],
    ['sub("b"; "x"), gsub("[ac]"; "y"), capture("(?<n>b)").n', 'abc', ['axc', 'yby', 'b']],
    ['ascii_upcase, ltrimstr("a"), tojson', 'abc', ['ABC', 'bc', '"abc"']],
    ['.a |= . + 1 | .b = 3 | del(.c)', { a: 1, c: 2 }, [{ a: 2, b: 3 }]],
    ['[paths]', { a: [1] }, [[['a'], ['a', 0]]]],
    ['[..]', [1], [[[1], 1]]],
    ['try error("x") catch .', null, ['x']],
    ['.a.b?', { a: 1 }, []],
    ['def f($x; g): $x + g; f(1; .a)', { a: 2 }, [3]],
    ['[recurse(if . < 3 then . + 1 else empty end)]', 1, [[1, 2, 3]]],
    ['@base64, @json', 'hi', ['aGk=', '"hi"']],
    ['now | floor | todate', null, ['2023-11-14T22:13:20Z']],
    ['"2023-11-14T22:13:20Z" | fromdate', null, [1_700_000_000]],
    ['first(range(5; 9)), nth(2), last', [7, 8, 9], [5, 9, 9]],
    ['flatten, (map(tostring) | join(","))', [1, [2, [3]]], [[1, 2, 3], '1,[2,[3]]']],
    ['walk(if type == "number" then . + 1 else . end)', { a: [1] }, [{ a: [2] }]],
    ['[while(. < 8; . * 2)], until(. > 8; . * 2)', 1, [[1, 2, 4], 16]],
    ['.a and .b, (.a or .b), (.b | not)', { a: true, b: false }, [false, true, true]],
    ['(.status.containerStatuses // []) | length == 0', pod, [true]],
    ['[.a[]?.b]', { a: [{ b: 1 }] }, [[1]]],
    ['tonumber, (tonumber | tostring)', '5', [5, '5']],
  ])('%s', (source, input, outputs) => {
    expect(compile(source).run(input)).toEqual(outputs);
  });

  it.each([
    ['.a', [1]],
    ['.[] | .x', 5],
    ['error("boom")', null],
    ['nope', null],
  ])('%s fails on its input', (source, input) => {
    expect(() => compile(source).run(input)).toThrow(JqError);
  });

  it.each(['.a |', '(1', '[', '{a', 'if . then 1', '"x', '&'])('%s cannot be parsed', (source) => {
    expect(() => compile(source)).toThrow(JqError);
  });
});
