/** A text that is no file of variables; `line` counts from 1. */
export class EnvFileError extends Error {
  override readonly name = 'EnvFileError';

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
  }
}

/**
 * The variables of an env file (KEP-3721): `NAME='VALUE'`, where a value may go over several lines and ends at the next
 * quote; empty lines and those that begin with `#` say nothing. Throws {@link EnvFileError}.
 */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    const next = end < 0 ? text.length : end + 1;
    if (/^\s*(?:#|$)/.test(line)) {
      at = next;
      continue;
    }
    const lineNumber = text.slice(0, at).split('\n').length;
    const [head, name = ''] = /^[ \t]*([^=\s]+)[ \t]*=[ \t]*'/.exec(line) ?? [];
    if (head === undefined)
      throw new EnvFileError(lineNumber, "it must be NAME='VALUE', the value in single quotes");
    const begin = at + head.length;
    const close = text.indexOf("'", begin);
    if (close < 0) throw new EnvFileError(lineNumber, `the value of ${name} has no end`);
    const rest = /^[^\n]*/.exec(text.slice(close + 1))?.[0] ?? '';
    if (!/^\s*(?:#.*)?$/.test(rest))
      throw new EnvFileError(lineNumber, `unexpected characters after the value of ${name}`);
    found.set(name, text.slice(begin, close));
    at = close + 1 + rest.length + 1;
  }
  return found;
}
