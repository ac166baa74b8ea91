import { describe, expect, it } from 'vitest';
import { outputMatches, readConsoleDocument } from './console-document.ts';

describe('readConsoleDocument', () => {
  const text = [
    '# Title',
    '<!-- needs: root, kubectl -->',
    '```console',
    '$ cat > a <<END',
    '> one',
    '>',
    '> END',
    '$ kanoe status # exit code 3',
    'Name: kanoe',
    '…',
    '```',
    '```sh',
    'npm ci',
    '```',
    '```console interrupt',
    '$ kanoe up',
    '```',
  ].join('\n');

  it('takes needs, commands over several lines, exit codes and expected lines apart', () => {
    expect(readConsoleDocument(text)).toEqual({
      needs: ['root', 'kubectl'],
      unrun: ['npm ci'],
      blocks: [
        {
          line: 3,
          mode: 'run',
          steps: [
            { line: 4, command: 'cat > a <<END\none\n\nEND', exitCode: 0, expected: [] },
            {
              line: 8,
              command: 'kanoe status # exit code 3',
              exitCode: 3,
              expected: ['Name: kanoe', '…'],
            },
          ],
        },
        {
          line: 15,
          mode: 'interrupt',
          steps: [{ line: 16, command: 'kanoe up', exitCode: 0, expected: [] }],
        },
      ],
    });
  });

  it('refuses a block that does not begin with a command', () => {
    expect(() => readConsoleDocument('```console\nhello\n```')).toThrow('line 2');
  });
});

describe('outputMatches', () => {
  it.each([
    ['the same text', 'a b\nc\n', ['a b', 'c'], true],
    ['other widths of columns', 'NAME\t  STATE\nx     y\n', ['NAME STATE', 'x y'], true],
    ['other text', 'a\nd\n', ['a', 'c'], false],
    ['a line too many', 'a\nb\n', ['a'], false],
    ['a line too few', 'a\n', ['a', 'b'], false],
    ['anything within a line', 'up in 12 ms\n', ['up in … ms'], true],
    ['nothing of the next line within a line', 'up in\n12 ms\n', ['up in … ms'], false],
    ['any lines between', 'a\nx\ny\nb\n', ['a', '…', 'b'], true],
    ['no line between', 'a\nb\n', ['a', '…', 'b'], true],
    ['any lines before', 'x\ny\nb\n', ['…', 'b'], true],
    ['any lines behind', 'a\nx\ny\n', ['a', '…'], true],
    ['characters of patterns as they are', 'a.b (c)*\n', ['a.b (c)*'], true],
    ['a dot as nothing but a dot', 'axb\n', ['a.b'], false],
  ])('tells %s', (_what, output, expected, matches) => {
    expect(outputMatches(output, expected)).toBe(matches);
  });

  it('is content with the beginning when asked to be', () => {
    expect(outputMatches('ready\nmore\n', ['ready'], 'beginning')).toBe(true);
    expect(outputMatches('not yet\n', ['ready'], 'beginning')).toBe(false);
  });
});
