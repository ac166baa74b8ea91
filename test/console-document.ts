/** One command of a document and what it promises. */
export interface ConsoleStep {
  /** Line of the document, from 1. */
  readonly line: number;
  /** Goes to `bash -c`. */
  readonly command: string;
  readonly exitCode: number;
  /** Lines of the output; empty when the document shows none. */
  readonly expected: readonly string[];
}

/** One fenced block of commands. */
export interface ConsoleBlock {
  readonly line: number;
  /** `interrupt`: the block's one command goes on by itself and is ended by Ctrl-C once it has printed what is expected. */
  readonly mode: 'run' | 'interrupt';
  readonly steps: readonly ConsoleStep[];
}

export interface ConsoleDocument {
  /** What the machine must have, from `<!-- needs: root, kubectl -->`. */
  readonly needs: readonly string[];
  readonly blocks: readonly ConsoleBlock[];
  /** Lines of `sh` blocks, which are not run. */
  readonly unrun: readonly string[];
}

/**
 * Reads the commands of a Markdown document:
 *
 *     ```console            run one after the other, each must succeed
 *     $ kanoe status        a command; "# exit code N" behind it says how it ends
 *     > more of it          a further line of the same command
 *     Name:      kanoe      what it prints; nothing here: anything
 *     ```
 *
 * In expected lines `…` stands for any text, alone on a line for any number of lines, and blanks for any number of blanks and tabs.
 */
export function readConsoleDocument(text: string): ConsoleDocument {
  const needs = /<!-- needs: (.*?) -->/.exec(text)?.[1]?.split(/,\s*/) ?? [];
  const blocks: ConsoleBlock[] = [];
  const unrun: string[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^```(\w+)(?: (\w+))?$/.exec(lines[at] ?? '');
    if (!fence) continue;
    const end = lines.indexOf('```', at + 1);
    const content = lines.slice(at + 1, end);
    if (fence[1] === 'sh') unrun.push(...content.filter((line) => line.trim() !== ''));
    if (fence[1] === 'console')
      blocks.push({
        line: at + 1,
        mode: fence[2] === 'interrupt' ? 'interrupt' : 'run',
        steps: readSteps(content, at + 2),
      });
    at = end;
  }
  return { needs, blocks, unrun };
}

function readSteps(lines: readonly string[], firstLine: number): readonly ConsoleStep[] {
  const steps: { line: number; command: string; exitCode: number; expected: string[] }[] = [];
  for (const [at, line] of lines.entries()) {
    const last = steps.at(-1);
    if (line.startsWith('$ ')) {
      const exitCode = Number(/\s# exit code (\d+)$/.exec(line)?.[1] ?? 0);
      steps.push({ line: firstLine + at, command: line.slice(2), exitCode, expected: [] });
    } else if (last && last.expected.length === 0 && (line === '>' || line.startsWith('> '))) {
      last.command += `\n${line.slice(2)}`;
    } else if (last) {
      last.expected.push(line);
    } else {
      throw new Error(`line ${firstLine + at}: a console block begins with "$ "`);
    }
  }
  return steps;
}

/** Whether output is as promised; with `beginning`, whether it begins so. */
export function outputMatches(
  output: string,
  expected: readonly string[],
  extent: 'whole' | 'beginning' = 'whole',
): boolean {
  const wanted = expected.join('\n').trimEnd().split('\n');
  const pattern = wanted
    .map((line, at) => {
      const separator = at === 0 ? '' : '\n';
      if (line.trim() === '…') return at === 0 ? '(?:.*\n)*?.*' : '(?:\n.*)*?';
      return `${separator}${linePattern(line)}`;
    })
    .join('');
  const end = extent === 'whole' ? '\\s*$' : '';
  return new RegExp(`^${pattern}${end}`).test(
    output
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n'),
  );
}

function linePattern(line: string): string {
  return line
    .trimEnd()
    .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replaceAll(/[ \t]+/g, '[ \\t]+')
    .replaceAll('…', '.*?');
}
