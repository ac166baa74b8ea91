import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completionScript, shells } from './completion-script.ts';
import { createProgram } from './program.ts';
import { testContext } from './testing/test-cluster.ts';

describe('a completion script', () => {
  it.each(shells)('of %s knows every verb and flag', (shell) => {
    const program = createProgram(testContext('/'));
    const script = completionScript(program, shell);
    const flags = program.commands
      .filter((command) => command.name() !== 'internal')
      .flatMap((command) => [command.name(), ...command.options.map((option) => option.name())]);
    expect(flags.length).toBeGreaterThan(50);
    expect(flags.filter((word) => word !== 'started-at' && !script.includes(word))).toEqual([]);
  });

  it('completes verbs, flags and values in bash', () => {
    const script = completionScript(createProgram(testContext('/')), 'bash');
    const complete = (...words: readonly string[]): string[] => {
      const quoted = words.map((word) => `'${word}'`).join(' ');
      const ask = `COMP_WORDS=(kanoe ${quoted}); COMP_CWORD=${words.length}; _kanoe; echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' })
        .trim()
        .split(' ');
    };
    expect(complete('de')).toEqual(['describe', 'delete']);
    expect(complete('delete', '--gr')).toEqual(['--grace-period']);
    expect(complete('delete', '--cascade', 'f')).toEqual(['foreground']);
    expect(complete('completion', 'z')).toEqual(['zsh']);
  });
});
