import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../base/fake-clock.ts';
import { TemplateSet } from '../template-set.ts';
import { sprigFunctions } from './sprig-functions.ts';

const clock = new FakeClock(Date.UTC(2026, 1, 3, 4, 5, 6));

function render(text: string): string {
  return new TemplateSet({ functions: sprigFunctions(clock) })
    .parse('t', text)
    .execute('t', { name: 'web', labels: { app: 'x', tier: 'y' }, list: [3n, 1n], none: null });
}

describe('sprig', () => {
  it.each([
    ['{{ .name | upper | quote }}', '"WEB"'],
    ['{{ .missing | default "d" }}{{ default "d" .name }}', 'dweb'],
    ['{{ trunc 2 .name }}{{ trunc -2 .name }}{{ trimSuffix "b" .name }}', 'weebwe'],
    ['{{ "a b" | nospace }} {{ "a-b" | replace "-" "_" }} {{ repeat 3 "x" }}', 'ab a_b xxx'],
    ['{{ indent 2 "a\\nb" }}{{ nindent 1 "c" }}', '  a\n  b\n c'],
    ['{{ contains "e" .name }}{{ hasPrefix "w" .name }}{{ hasSuffix "w" .name }}', 'truetruefalse'],
    ['{{ list 1 2 3 | join "," }} {{ first .list }} {{ last .list }} {{ rest .list }}', '1,2,3 3 1 [1]'],
    [
      '{{ has 3 .list }} {{ without .list 3 }} {{ append .list 5 }} {{ uniq (list 1 1 2) }}',
      'true [1] [3 1 5] [1 2]',
    ],
    ['{{ dict "a" 1 "b" "c" | toJson }}', '{"a":1,"b":"c"}'],
    ['{{ $d := dict }}{{ $_ := set $d "x" 1 }}{{ get $d "x" }}{{ hasKey $d "y" }}', '1false'],
    [
      '{{ keys .labels | join "," }} {{ pick .labels "app" }} {{ omit .labels "app" }}',
      'app,tier map[app:x] map[tier:y]',
    ],
    ['{{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}', '{"a":1,"b":3}'],
    ['{{ mergeOverwrite (dict "a" 1) (dict "a" 2) | toJson }}', '{"a":2}'],
    ['{{ dig "labels" "app" "no" . }} {{ dig "labels" "zone" "no" . }}', 'x no'],
    [
      '{{ add 1 2 3 }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ max 1 5 2 }} {{ add1 4 }}',
      '6 3 6 3 1 5 5',
    ],
    ['{{ addf 1.5 2 }} {{ floor 1.7 }} {{ ceil 1.2 }} {{ round 1.256 2 }}', '3.5 1 2 1.26'],
    ['{{ int "42" }} {{ float64 "1.5" }} {{ "7" | atoi }} {{ toString 5 }}', '42 1.5 7 5'],
    ['{{ ternary "y" "n" true }} {{ coalesce "" .none "z" }} {{ empty "" }}', 'y z true'],
    [
      '{{ kindOf 1 }} {{ kindOf .list }} {{ kindOf .labels }} {{ typeOf "x" }} {{ kindIs "string" "x" }}',
      'int slice map string true',
    ],
    ['{{ .labels | toYaml }}', 'app: x\ntier: "y"'],
    ['{{ (fromYaml "a: [1, 2]").a }} {{ (fromJson "{\\"b\\":2}").b }}', '[1 2] 2'],
    ['{{ b64enc "hi" }} {{ b64dec "aGk=" }}', 'aGk= hi'],
    ['{{ sha256sum "a" | trunc 8 }}', 'ca978112'],
    [
      '{{ regexMatch "^w.b$" .name }} {{ regexReplaceAll "(w)" .name "${1}x" }} {{ regexFind "[eb]+" .name }}',
      'true wxeb eb',
    ],
    [
      '{{ snakecase "FooBar" }} {{ kebabcase "FooBar" }} {{ camelcase "foo_bar" }} {{ title "foo bar" }}',
      'foo_bar foo-bar FooBar Foo Bar',
    ],
    ['{{ until 3 }} {{ untilStep 0 6 2 }} {{ seq 3 }}', '[0 1 2] [0 2 4] 1 2 3'],
    ['{{ now | date "2006-01-02T15:04:05Z07:00" }} {{ now | unixEpoch }}', '2026-02-03T04:05:06Z 1770091506'],
    ['{{ base "a/b.txt" }} {{ dir "a/b.txt" }} {{ ext "a/b.txt" }}', 'b.txt a .txt'],
    [
      '{{ range $i, $x := splitList "," "a,b" }}{{ $i }}{{ $x }}{{ end }} {{ (split "," "a,b")._1 }}',
      '0a1b b',
    ],
    [
      '{{ sortAlpha (list "b" "a") }} {{ compact (list "" "a") }} {{ chunk 2 (list 1 2 3) }}',
      '[a b] [a] [[1 2] [3]]',
    ],
    [
      '{{ plural "one" "many" 2 }} {{ squote "x" }} {{ cat 1 "b" }} {{ abbrev 5 "abcdefgh" }}',
      "many 'x' 1 b ab...",
    ],
  ])('%s', (text, expected) => {
    expect(render(text)).toBe(expected);
  });

  it('stops with what a template says', () => {
    expect(() => render('{{ required "name it" .missing }}')).toThrow('error calling required: name it');
    expect(() => render('{{ fail "no" }}')).toThrow('error calling fail: no');
    expect(() => render('{{ div 1 0 }}')).toThrow('divide by zero');
  });
});
