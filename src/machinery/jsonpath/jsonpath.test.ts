import { describe, expect, it } from 'vitest';
import { compileJsonPath, relaxedJsonPath } from './jsonpath.ts';

const list = {
  kind: 'List',
  items: [
    {
      metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'web' } },
      status: { phase: 'Running', restarts: 2, conditions: [{ type: 'Ready', status: 'True' }] },
    },
    { metadata: { name: 'b' }, status: { phase: 'Pending', restarts: 0 } },
    { metadata: { name: 'c' }, status: { phase: 'Running', restarts: 5 } },
  ],
};

describe('a JSONPath template', () => {
  it.each([
    ['{.kind}', 'List'],
    ['{$.kind}', 'List'],
    ['{kind}', 'List'],
    ['text {.kind} text', 'text List text'],
    ['{.items[*].metadata.name}', 'a b c'],
    ['{.items[0].metadata.name}', 'a'],
    ['{.items[-1].metadata.name}', 'c'],
    ['{.items[1:].metadata.name}', 'b c'],
    ['{.items[0:3:2].metadata.name}', 'a c'],
    ['{.items[0,2].metadata.name}', 'a c'],
    ["{.items[0]['metadata','status'].name}", 'a'],
    ['{..name}', 'a b c'],
    [String.raw`{.items[0].metadata.labels.app\.kubernetes\.io/name}`, 'web'],
    ["{.items[0].metadata.labels['app.kubernetes.io/name']}", 'web'],
    ['{.items[?(@.status.phase=="Running")].metadata.name}', 'a c'],
    ['{.items[?(@.status.restarts>=2)].metadata.name}', 'a c'],
    ['{.items[?(@.status.phase!="Running")].metadata.name}', 'b'],
    ['{.items[?(@.status.conditions)].metadata.name}', 'a'],
    ['{.items[0].status.conditions[?(@.type=="Ready")].status}', 'True'],
    [
      String.raw`{range .items[*]}{.metadata.name}{"\t"}{.status.phase}{"\n"}{end}`,
      'a\tRunning\nb\tPending\nc\tRunning\n',
    ],
    ['{range .items[*]}[{.metadata.name}, {$.kind}] {end}', '[a, List] [b, List] [c, List] '],
    ['{.items[0].metadata}', '{"labels":{"app.kubernetes.io/name":"web"},"name":"a"}'],
    ['{.items[0].status.restarts}', '2'],
    ['{.nothing.there}', ''],
    ['{.items[9].metadata.name}', ''],
  ])('%s', (template, text) => {
    expect(compileJsonPath(template).print(list)).toBe(text);
  });

  it.each([
    ['{.items', 'unclosed'],
    ['{range .items[*]}{.x}', '{end} is missing'],
    ['{end}', 'nothing to end'],
    ["{'x}", 'unterminated quoted string'],
    ['{.items[0}', '] is missing'],
  ])('that is wrong, %s, is refused', (template, problem) => {
    expect(() => compileJsonPath(template)).toThrow(problem);
  });

  it('keeps integers beyond 2^53', () => {
    expect(compileJsonPath('{.a} {.b}').print({ a: 9007199254740993n, b: { c: 9007199254740993n } })).toBe(
      '9007199254740993 {"c":9007199254740993}',
    );
  });

  it.each(['metadata.name', '.metadata.name', '{.metadata.name}'])(
    'may be written as %s in flags',
    (path) => {
      expect(relaxedJsonPath(path)).toBe('{.metadata.name}');
    },
  );
});
