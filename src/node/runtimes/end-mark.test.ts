import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { EndMark, markScript } from './end-mark.ts';

const secret = 'abc';

function taken(text: string, size: number): { output: string; code?: number } {
  const mark = new EndMark(secret);
  let output = '';
  for (let start = 0; start < text.length; start += size) {
    const found = mark.take(Buffer.from(text.slice(start, start + size), 'latin1'));
    output += found.output.toString('latin1');
    if (found.code !== undefined) return { output, code: found.code };
  }
  return { output };
}

it.each([1, 2, 3, 7, 1000])('finds the mark in pieces of %i bytes', (size) => {
  expect(taken('out\r\n\u0001abc:137\u0001late', size)).toEqual({ output: 'out\r\n', code: 137 });
  expect(taken('\u0001abc:0\u0001', size)).toEqual({ output: '', code: 0 });
  expect(taken('\u0001\u0001ab\u0001abd\u0001abc:4\u0001', size)).toEqual({
    output: '\u0001\u0001ab\u0001abd',
    code: 4,
  });
});

it('holds nothing back that cannot be the mark', () => {
  expect(taken('a\u0001b', 1)).toEqual({ output: 'a\u0001b' });
  expect(taken('prompt> ', 8)).toEqual({ output: 'prompt> ' });
});

it('is written by a shell after the command', () => {
  const script = markScript.replace('exec sleep 60', 'true');
  const text = execFileSync('sh', ['-c', script, secret, 'sh', '-c', 'printf done; exit 7'], {
    encoding: 'latin1',
  });
  expect(taken(text, 5)).toEqual({ output: 'done', code: 7 });
});
