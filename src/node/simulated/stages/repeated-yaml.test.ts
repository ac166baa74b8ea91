import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../machinery/yaml/parse-yaml.ts';
import { repeatedYamlReader } from './repeated-yaml.ts';

describe('repeatedYamlReader', () => {
  it.each<[string, string[]]>([
    ['strings as values', ['a: "x"\nb:\n- "y"\n- {c: "z"}\n', 'a: "1"\nb:\n- "2"\n- {c: "3"}\n']],
    ['strings with escapes of JSON', ['a: "x"\n', 'a: "\\"q\\" \\u00e9 \\\\ \\n"\n']],
    ['strings with escapes of YAML alone', ['a: "x"\n', 'a: "\\x41 \\e"\n']],
    ['keys', ['"a": 1\n', '"b": 1\n']],
    ['quotes within plain scalars', ['a: say "x" twice\n', 'a: say "y" twice\n']],
    ['quotes within single quotes', [`a: '"x"'\n`, `a: '"y"'\n`]],
    ['quotes within blocks', ['a: |\n  "x"\n  y\nb: "z"\n', 'a: |\n  "1"\n  y\nb: "2"\n']],
    ['quotes within comments', ['a: 1 # "x"\n', 'a: 1 # "y"\n']],
    ['strings over two lines', ['a: "x\n  y"\nb: "z"\n', 'a: "1\n  2"\nb: "3"\n']],
    [
      'numbers, booleans and nulls beside',
      ['a: "x"\nb: 1.5\nc: true\nd:\n', 'a: "y"\nb: 1.5\nc: true\nd:\n'],
    ],
    ['no strings at all', ['a: 1\n', 'a: 2\n', 'a: 1\n']],
    ['nothing', ['', '']],
  ])('reads %s as YAML does', (_, texts) => {
    const read = repeatedYamlReader();
    expect(texts.map(read)).toEqual(texts.map((text) => parseYaml(text).value));
  });

  it('hands out values of their own', () => {
    const read = repeatedYamlReader();
    expect(read('a: { b: "x" }')).not.toBe(read('a: { b: "x" }'));
  });

  it('throws for what is no YAML', () => {
    const read = repeatedYamlReader();
    expect(() => read('a: "x"\n b: "y"')).toThrow(/line 2/);
  });
});
