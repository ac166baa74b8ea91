import { describe, expect, it } from 'vitest';
import { TemplateSet } from './template-set.ts';
import { TemplateObject } from './template-value.ts';
import { templateFunction } from './template-function.ts';

const add = templateFunction(['int', 'int'], (a: bigint, b: bigint) => a + b);

const data = {
  name: 'kanoe',
  count: 3n,
  ratio: 0.5,
  million: 1_000_000,
  yes: true,
  empty: '',
  list: ['a', 'b', 'c'],
  numbers: [1n, 2n],
  map: { b: 2n, a: 1n },
  deep: { er: { value: 'x' } },
  nothing: null,
  add,
  calculator: new TemplateObject('calculator', { Add: add, Name: 'casio' }),
};

function render(text: string): string {
  return new TemplateSet({
    functions: {
      upper: templateFunction(['string'], (value: string) => value.toUpperCase()),
      boom: templateFunction([], () => {
        throw new Error('it went off');
      }),
    },
  })
    .parse('t', text)
    .execute('t', data);
}

describe('rendering', () => {
  it.each([
    ['text alone', 'hello', 'hello'],
    ['a field', '{{.name}}', 'kanoe'],
    ['a field of a field', '{{ .deep.er.value }}', 'x'],
    ['a key that is not there', '{{.missing}}', '<no value>'],
    ['null', '{{.nothing}}', '<no value>'],
    ['trimmed blanks', 'a \n {{- .name -}} \n b', 'akanoeb'],
    ['a minus that is no trim', '{{-3}}', '-3'],
    ['a comment', 'a{{/* no */}}b', 'ab'],
    ['a trimmed comment', 'a {{- /* no */ -}} b', 'ab'],
    ['pipelines', '{{ .name | upper | printf "%s-%s" "x" }}', 'x-KANOE'],
    ['parentheses', '{{ printf "%d" (len .list) }}', '3'],
    ['a field of parentheses', '{{ (index .deep "er").value }}', 'x'],
    ['if', '{{if .yes}}1{{else}}2{{end}}', '1'],
    ['else if', '{{if .empty}}1{{else if .yes}}2{{else}}3{{end}}', '2'],
    ['with', '{{with .deep.er}}{{.value}}{{end}}', 'x'],
    ['with else', '{{with .empty}}1{{else}}2{{end}}', '2'],
    ['else with', '{{with .empty}}1{{else with .name}}{{.}}{{end}}', 'kanoe'],
    ['range', '{{range .list}}<{{.}}>{{end}}', '<a><b><c>'],
    ['range with index', '{{range $i, $e := .list}}{{$i}}{{$e}}{{end}}', '0a1b2c'],
    ['range over a map in order', '{{range $k, $v := .map}}{{$k}}={{$v}} {{end}}', 'a=1 b=2 '],
    ['range over a number', '{{range 3}}{{.}}{{end}}', '012'],
    ['range over nothing', '{{range .missing}}x{{else}}none{{end}}', 'none'],
    ['break and continue', '{{range .list}}{{if eq . "a"}}{{continue}}{{end}}{{.}}{{break}}{{end}}', 'b'],
    ['variables', '{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['an inner variable hides the outer', '{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}', '21'],
    ['the root', '{{range .numbers}}{{$.name}}{{end}}', 'kanoekanoe'],
    ['define and template', '{{define "x"}}[{{.}}]{{end}}{{template "x" .name}}', '[kanoe]'],
    ['template without data', '{{define "x"}}{{.}}{{end}}{{template "x"}}', '<no value>'],
    ['block', '{{block "x" .name}}<{{.}}>{{end}}', '<kanoe>'],
    ['a method', '{{.calculator.Add 2 3}} {{.calculator.Name}}', '5 casio'],
    ['a method at the end of a pipe', '{{3 | .calculator.Add 2}}', '5'],
    ['call', '{{call .add 2 3}}', '5'],
    ['and, or stop early', '{{or .name boom}} {{and .empty boom}}|', 'kanoe |'],
    ['not', '{{not .empty}}', 'true'],
    ['eq with several', '{{eq .name "x" "kanoe"}}', 'true'],
    ['eq with nothing', '{{eq .missing "x"}}{{eq .missing nil}}', 'falsetrue'],
    ['ordering', '{{lt 1 2}}{{le 2 2}}{{gt "b" "a"}}{{ge 1.5 2.5}}{{ne 1 1}}', 'truetruetruefalsefalse'],
    ['index', '{{index .list 1}}{{index .map "a"}}{{index .deep "er" "value"}}', 'b1x'],
    ['slice', '{{slice .name 1 3}}{{slice .list 1}}', 'an[b c]'],
    ['print', '{{print 1 2 "a" "b" 3}}', '1 2a b3'.replace('a b', 'ab')],
    ['println', '{{println 1 "a"}}', '1 a\n'],
    ['maps and lists', '{{.map}} {{.list}}', 'map[a:1 b:2] [a b c]'],
    ['floats', '{{.ratio}} {{.million}} {{100000.0}} {{0.00001}}', '0.5 1e+06 100000 1e-05'],
    [
      'literals',
      '{{0x10}} {{1_000}} {{\'a\'}} {{"q\\"t\\u00e9"}} {{`raw\\n`}} {{1e3}}',
      '16 1000 97 q"té raw\\n 1000',
    ],
    ['html', '{{html "<a href=\'x\'>"}}', '&lt;a href=&#39;x&#39;&gt;'],
    ['js', '{{js "it\'s"}}', "it\\'s"],
    ['urlquery', '{{urlquery "a b&c"}}', 'a+b%26c'],
    ['an action over lines', '{{ printf\n"%s"\n.name }}', 'kanoe'],
  ])('%s', (_, text, expected) => {
    expect(render(text)).toBe(expected);
  });
});

describe('printf', () => {
  it.each([
    ['%d|%5d|%-5d|%05d|%+d', '42 42 42 42 42', '42|   42|42   |00042|+42'],
    ['%x %X %o %b %#x %c %U', '255 255 8 5 255 65 65', 'ff FF 10 101 0xff A U+0041'],
    [
      '%s|%8s|%-8s|%.2s|%q|%x',
      '"abc" "abc" "abc" "abc" "abc" "abc"',
      'abc|     abc|abc     |ab|"abc"|616263',
    ],
    ['%f %.2f %e %g %6.2f', '1.5 1.5 1.5 1.5 1.5', '1.500000 1.50 1.500000e+00 1.5   1.50'],
    ['%t %v %T %%', 'true "x" 1', 'true x int %'],
    ['%*d', '5 42', '   42'],
    ['%[2]d %[1]d', '1 2', '2 1'],
    ['%d', '"x"', '%!d(string=x)'],
    ['%s', '1', '%!s(int=1)'],
    ['%d', '', '%!d(MISSING)'],
    ['x', '1', 'x%!(EXTRA int=1)'],
  ])('%s of %s', (format, args, expected) => {
    expect(render(`{{printf ${JSON.stringify(format)} ${args}}}`)).toBe(expected);
  });
});

describe('errors', () => {
  it.each([
    ['{{.a.b}}', 'template: t:1:4: executing "t" at <.a.b>: nil pointer evaluating interface {}.b'],
    ['\n  {{.name.x}}', `template: t:2:9: executing "t" at <.name.x>: can't evaluate field x in type string`],
    ['{{boom}}', 'template: t:1:2: executing "t" at <boom>: error calling boom: it went off'],
    [
      '{{upper 1}}',
      'template: t:1:2: executing "t" at <upper 1>: wrong type for value; expected string; got int',
    ],
    ['{{upper}}', 'template: t:1:2: executing "t" at <upper>: wrong number of args for upper: want 1 got 0'],
    [
      '{{eq 1 1.0}}',
      'template: t:1:2: executing "t" at <eq 1 1.0>: error calling eq: incompatible types for comparison',
    ],
    [
      '{{index .list 9}}',
      'template: t:1:2: executing "t" at <index .list 9>: error calling index: index out of range: 9',
    ],
    [
      '{{.calculator.Size}}',
      `template: t:1:13: executing "t" at <.calculator.Size>: can't evaluate field Size in type calculator`,
    ],
    ['{{.name 1}}', 'template: t:1:2: executing "t" at <.name>: name is not a method but has arguments'],
    ['{{template "x"}}', 'template: t:1:11: executing "t" at <{{template "x"}}>: template "x" not defined'],
    ['{{range .name}}{{end}}', `template: t:1:8: executing "t" at <.name>: range can't iterate over kanoe`],
    ['{{nope}}', 'template: t:1: function "nope" not defined'],
    ['{{$x}}', 'template: t:1: undefined variable "$x"'],
    ['{{if .x}}', 'template: t:1: unexpected EOF'],
    ['{{end}}', 'template: t:1: unexpected {{end}}'],
    ['{{', 'template: t:1: unclosed action'],
    ['a\n{{"x}}', 'template: t:2: unterminated quoted string'],
    ['{{(1}}', 'template: t:1: unclosed left paren'],
    ['{{break}}', 'template: t:1: {{break}} outside {{range}}'],
    ['{{/* x', 'template: t:1: unclosed comment'],
    ['{{if}}{{end}}', 'template: t:1: missing value for if'],
    ['{{1 | 2}}', 'template: t:1: non executable command in pipeline stage 2'],
    ['{{define "x"}}', 'template: t:1: unexpected EOF'],
  ])('%s', (text, message) => {
    expect(() => render(text)).toThrow(expect.objectContaining({ message }));
  });
});
