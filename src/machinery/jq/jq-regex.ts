import { JqError } from './jq-error.ts';
import { typeOf } from './jq-value.ts';

/** What jq's `match` yields. Offsets count characters, not UTF-16 units. */
interface JqMatch {
  readonly offset: number;
  readonly length: number;
  readonly string: string | null;
  readonly captures: readonly {
    readonly offset: number;
    readonly length: number;
    readonly string: string | null;
    readonly name: string | null;
  }[];
}

/** All matches with the flag `g`, else the first. `pattern` may be `[pattern, flags]`. */
export function matchAll(text: string, pattern: unknown, flags: unknown): JqMatch[] {
  const [source, letters] = sourceOf(pattern, flags);
  const global = letters.includes('g');
  const found = text.matchAll(compile(source, letters));
  const matches: JqMatch[] = [];
  for (const match of found) {
    matches.push(toMatch(text, match));
    if (!global) break;
  }
  return matches;
}

/** The text between matches. */
export function splitBy(text: string, pattern: unknown, flags: unknown): string[] {
  const [source, letters] = sourceOf(pattern, flags);
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(compile(source, letters))) {
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}

function sourceOf(pattern: unknown, flags: unknown): readonly [source: string, flags: string] {
  const [source, letters] = Array.isArray(pattern) ? (pattern as unknown[]) : [pattern, flags];
  if (typeof source !== 'string')
    throw new JqError(`${typeOf(source)} cannot be matched, as it is not a string`);
  return [source, typeof letters === 'string' ? letters : ''];
}

function compile(source: string, letters: string): RegExp {
  const extended = letters.includes('x') ? source.replaceAll(/\s+|#[^\n]*/g, '') : source;
  const named = extended
    .replaceAll('(?P<', '(?<')
    .replaceAll('[[:space:]]', '\\s')
    .replaceAll('[[:digit:]]', '\\d');
  try {
    return new RegExp(named, `gu${letters.includes('i') ? 'i' : ''}${/[sp]/.test(letters) ? 's' : ''}`);
  } catch (error) {
    throw new JqError(
      `invalid regular expression: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function toMatch(text: string, match: RegExpExecArray): JqMatch {
  const names = Object.entries(match.groups ?? {});
  const offsetOf = (units: number): number => Array.from(text.slice(0, units)).length;
  const unused = new Set(names.map(([name]) => name));
  const captures = match.slice(1).map((value: string | undefined) => {
    const name = names.find(([one, held]) => held === value && unused.has(one))?.[0] ?? null;
    if (name !== null) unused.delete(name);
    const at = value === undefined ? -1 : text.indexOf(value, match.index);
    return {
      offset: at < 0 ? -1 : offsetOf(at),
      length: value === undefined ? 0 : Array.from(value).length,
      string: value ?? null,
      name,
    };
  });
  return { offset: offsetOf(match.index), length: Array.from(match[0]).length, string: match[0], captures };
}
