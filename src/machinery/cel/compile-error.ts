/** One thing wrong with an expression: `offset` counts code points from the start. */
export interface CelIssue {
  readonly offset: number;
  readonly message: string;
}

/** An expression that does not compile; the message is what cel-go prints, with every issue and its place. */
export class CelCompileError extends Error {
  readonly issues: readonly CelIssue[];

  constructor(source: string, issues: readonly CelIssue[]) {
    super(displayIssues(source, issues));
    this.name = 'CelCompileError';
    this.issues = issues;
  }
}

const MAX_ISSUES = 100;

/** The issues as cel-go's `Issues.String` prints them: place, line and a caret below the character. */
export function displayIssues(source: string, issues: readonly CelIssue[]): string {
  const sorted = issues.toSorted((left, right) => left.offset - right.offset);
  const shown = sorted.slice(0, MAX_ISSUES).map((issue) => displayIssue(source, issue));
  if (sorted.length > MAX_ISSUES) shown.push(`${sorted.length - MAX_ISSUES} more errors were truncated`);
  return shown.join('\n');
}

function displayIssue(source: string, { offset, message }: CelIssue): string {
  const points = Array.from(source);
  const before = points.slice(0, offset);
  const line = before.filter((char) => char === '\n').length + 1;
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineEnd = points.indexOf('\n', lineStart);
  const text = points.slice(lineStart, lineEnd < 0 ? points.length : lineEnd);
  const column = offset - lineStart;
  const dots = text
    .slice(0, column)
    .map((char) => (isWide(char) ? '\uFF0E' : '.'))
    .join('');
  const target = text[column];
  const caret = target !== undefined && isWide(target) ? '\uFF3E' : '^';
  const snippet = text.join('').replaceAll('\t', ' ');
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${snippet}\n | ${dots}${caret}`;
}

function isWide(char: string): boolean {
  return (char.codePointAt(0) ?? 0) > 0x7f;
}
