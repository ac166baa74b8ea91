import { beforeAll, describe, expect, it } from 'vitest';
import { loadPatterns } from '../structural/patterns.ts';
import { DYN, INT, STRING, listOf, mapOf, optionalOf } from './cel-type.ts';
import { CelCompileError } from './compile-error.ts';
import { celBase, celEnvironment } from './environment.ts';
import { viewJson } from './json-view.ts';
import { compile } from './program.ts';

beforeAll(loadPatterns);

const environment = celEnvironment(celBase(), {
  object: DYN,
  text: STRING,
  count: INT,
  list: listOf(INT),
  labels: mapOf(STRING, STRING),
  maybe: optionalOf(STRING),
});

const bindings = new Map(
  Object.entries({
    object: viewJson({ metadata: { name: 'a' }, spec: { replicas: 3, ratio: 0.5, list: [1, 2, 3] } }),
    text: 'héllo',
    count: 5n,
    list: viewJson([3, 1, 2]),
    labels: viewJson({ app: 'web', tier: 'front' }),
  }),
);

function evaluate(source: string): unknown {
  const outcome = compile(source, environment).evaluate(bindings);
  return 'error' in outcome ? `error: ${outcome.error}` : outcome.value;
}

describe('evaluation', () => {
  it.each([
    ['1 + 2 * 3 == 7', true],
    ['-count + 1 == -4', true],
    ['object.metadata.name == "a" && object.spec.replicas > 2', true],
    ['object.spec.ratio < object.spec.replicas', true],
    ['object.spec.none == 1', 'error: no such key: none'],
    ['object.spec.none == 1 || true', true],
    ['has(object.spec.none)', false],
    ['has(object.spec.replicas)', true],
    ['text.size() == 5', true],
    ["text.startsWith('h') && text.endsWith('o') && text.contains('éll')", true],
    ["text.substring(1, 3) == 'él' && text.charAt(4) == 'o'", true],
    ["'a-b-c'.split('-', 2) == ['a', 'b-c']", true],
    ["'%s is %d, %.2f'.format([dyn('x'), 3, 1.5])", 'x is 3, 1.50'],
    ['list.all(x, x > 0) && list.exists(x, x == 2) && list.exists_one(x, x == 3)', true],
    ['list.map(x, x * 2) == [6, 2, 4]', true],
    ['list.filter(x, x > 1).sum() == 5', true],
    ['list.sort() == [1, 2, 3] && !list.isSorted()', true],
    ["labels.all(k, labels[k] != '')", true],
    ['labels.transformList(k, v, k + v).size() == 2', true],
    ["labels.transformMap(k, v, v + '!')['app'] == 'web!'", true],
    ["labels.transformMapEntry(k, v, {'k': v})", 'error: insert failed: key k already exists'],
    ["labels[?'none'].orValue('x') == 'x' && labels.?app.hasValue()", true],
    ['object.?spec.?none.orValue(4) == 4', true],
    ["object.?metadata.name.optMap(n, n + '1').orValue('') == 'a1'", true],
    ['10 / (count - 5)', 'error: division by zero'],
    ['count + 9223372036854775807 > 0', 'error: integer overflow'],
    ['list[7]', 'error: index out of bounds: 7'],
    ['type(count) == int && type(text) == string && type(labels) == map', true],
    ["timestamp('2024-01-02T03:04:05Z').getHours('Europe/Berlin') == 4", true],
    ["duration('90m').getHours() == 1 && duration('1h') < duration('61m')", true],
    ["timestamp('2024-01-01T00:00:00Z') + duration('1h') == timestamp('2024-01-01T01:00:00Z')", true],
    ["text.matches('^h.*o$') && 'a1b22'.findAll('[0-9]+') == ['1', '22']", true],
    ['sets.contains(list, [1, 2]) && lists.range(3) == [0, 1, 2]', true],
    ['dyn(1) == 1.0 && dyn(1) == 1u', true],
    ["'b' in ['a', 'b'] && 'app' in labels", true],
    ["b'abc'.size() == 3 && r'\\d' == '\\\\d'", true],
    ['list.sortBy(x, -x) == [3, 2, 1]', true],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  it('stops at its limit', () => {
    const program = compile('lists.range(1000).all(x, lists.range(1000).all(y, x + y >= 0))', environment);
    expect(program.evaluate(bindings)).toMatchObject({
      error: 'operation cancelled: actual cost limit exceeded',
      exceeded: true,
    });
  });
});

const START =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

describe('compilation', () => {
  it.each([
    [
      'foo && bar',
      [
        "1:1: undeclared reference to 'foo' (in container '')",
        "1:8: undeclared reference to 'bar' (in container '')",
      ],
    ],
    ["text.size() > 'a'", ["1:13: found no matching overload for '_>_' applied to '(int, string)'"]],
    ['text.hasValue()', ["1:14: found no matching overload for 'hasValue' applied to 'string.()'"]],
    ['text.nonsense()', ["1:14: undeclared reference to 'nonsense' (in container '')"]],
    ["'x' +", [`1:6: Syntax error: mismatched input '<EOF>' expecting ${START}`]],
    ['object.', ["1:8: Syntax error: no viable alternative at input '.'"]],
    ['object.spec =', ["1:13: Syntax error: token recognition error at: '='"]],
    [
      'text.ä == 1',
      [
        "1:6: Syntax error: token recognition error at: 'ä'",
        "1:8: Syntax error: no viable alternative at input '. =='",
      ],
    ],
    [
      'Object{',
      ["1:8: Syntax error: mismatched input '<EOF>' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"],
    ],
    ['Thing{a: 1}', ["1:6: undeclared reference to 'Thing' (in container '')"]],
    ['text.field', ["1:5: type 'string' does not support field selection"]],
    [
      'a | b',
      [
        "1:3: Syntax error: token recognition error at: '| '",
        "1:5: Syntax error: extraneous input 'b' expecting <EOF>",
      ],
    ],
    ["[1, 'a']", ["1:5: expected type 'int' but found 'string'"]],
    ["duration('x')", ['1:10: invalid duration argument']],
    [
      'count.all(x, true)',
      ["1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ],
  ])('%s', (source, expected) => {
    const message = compileError(source);
    expect(message.split('\n').filter((line) => line.startsWith('ERROR'))).toEqual(
      expected.map((text) => `ERROR: <input>:${text}`),
    );
  });

  it('draws the place below the line', () => {
    expect(compileError('text.ä == 1')).toContain('\n | text.ä == 1\n | .....＾\n');
    expect(compileError('text.ä == 1')).toMatch(/\n \| \.\.\.\.\.．\.\^$/);
  });
});

function compileError(source: string): string {
  try {
    compile(source, environment);
    return 'compiles';
  } catch (error) {
    if (error instanceof CelCompileError) return error.message;
    throw error;
  }
}
