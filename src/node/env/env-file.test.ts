import { describe, expect, it } from 'vitest';
import { parseEnvFile } from './env-file.ts';

describe('a file of variables', () => {
  it.each([
    ["A='1'", { A: '1' }],
    ["\n# words\nA='1'\n  B = 'two words' # why\n", { A: '1', B: 'two words' }],
    ["A='one\ntwo'\nB=''", { A: 'one\ntwo', B: '' }],
    ['', {}],
  ])('%j', (text, expected) => {
    expect(Object.fromEntries(parseEnvFile(text))).toEqual(expected);
  });

  it.each([
    ['A=1', "line 1: it must be NAME='VALUE', the value in single quotes"],
    ["A='1'\nB='2", 'line 2: the value of B has no end'],
    ["A='1'x", 'line 1: unexpected characters after the value of A'],
  ])('%j is none', (text, problem) => {
    expect(() => parseEnvFile(text)).toThrow(problem);
  });
});
