import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { goQuote } from '../../go-quote.ts';
import { plain } from '../format-verbs.ts';
import { templateFunction as define, type FunctionMap } from '../template-function.ts';
import { isNone } from '../template-value.ts';
import { toList } from './casts.ts';

/** Sprig's functions of texts. The text they work on comes last, so that it can be piped in. */
export const stringFunctions: FunctionMap = {
  trim: define(['string'], (text: string) => text.trim()),
  trimAll: define(['string', 'string'], trimSet),
  trimall: define(['string', 'string'], trimSet),
  trimPrefix: define(['string', 'string'], (start: string, text: string) =>
    text.startsWith(start) ? text.slice(start.length) : text,
  ),
  trimSuffix: define(['string', 'string'], (end: string, text: string) =>
    end !== '' && text.endsWith(end) ? text.slice(0, -end.length) : text,
  ),
  upper: define(['string'], (text: string) => text.toUpperCase()),
  lower: define(['string'], (text: string) => text.toLowerCase()),
  title: define(['string'], (text: string) =>
    text.replaceAll(
      /(^|[^\p{L}\p{N}_'])(\p{L})/gu,
      (_, before: string, letter: string) => before + letter.toUpperCase(),
    ),
  ),
  untitle: define(['string'], (text: string) =>
    text.replaceAll(/(^|\s)(\p{L})/gu, (_, before: string, letter: string) => before + letter.toLowerCase()),
  ),
  repeat: define(['any', 'string'], (count: unknown, text: string) =>
    text.repeat(Math.max(0, Number(count))),
  ),
  substr: define(['int', 'int', 'string'], (start: bigint, end: bigint, text: string) => {
    const bytes = Buffer.from(text);
    const from = start < 0n ? 0 : Number(start);
    return bytes.subarray(from, end < 0n || Number(end) > bytes.length ? undefined : Number(end)).toString();
  }),
  trunc: define(['int', 'string'], (length: bigint, text: string) => {
    const size = Number(length);
    if (size < 0 && text.length + size > 0) return text.slice(text.length + size);
    return size >= 0 && text.length > size ? text.slice(0, size) : text;
  }),
  abbrev: define(['int', 'string'], (width: bigint, text: string) =>
    width < 4n || text.length <= Number(width) ? text : `${text.slice(0, Number(width) - 3)}...`,
  ),
  nospace: define(['string'], (text: string) => text.replaceAll(/\s/g, '')),
  initials: define(['string'], (text: string) =>
    text
      .split(/\s+/)
      .map((word) => word.slice(0, 1))
      .join(''),
  ),
  contains: define(['string', 'string'], (part: string, text: string) => text.includes(part)),
  hasPrefix: define(['string', 'string'], (start: string, text: string) => text.startsWith(start)),
  hasSuffix: define(['string', 'string'], (end: string, text: string) => text.endsWith(end)),
  replace: define(['string', 'string', 'string'], (old: string, next: string, text: string) =>
    text.replaceAll(old, () => next),
  ),
  plural: define(['string', 'string', 'int'], (one: string, many: string, count: bigint) =>
    count === 1n ? one : many,
  ),
  snakecase: define(['string'], (text: string) => words(text).join('_')),
  kebabcase: define(['string'], (text: string) => words(text).join('-')),
  camelcase: define(['string'], (text: string) =>
    words(text)
      .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
      .join(''),
  ),
  indent: define(['int', 'string'], indent),
  nindent: define(['int', 'string'], (spaces: bigint, text: string) => `\n${indent(spaces, text)}`),
  quote: define(
    [],
    (...values: unknown[]) =>
      values
        .filter((one) => !isNone(one))
        .map((one) => goQuote(plain(one)))
        .join(' '),
    'any',
  ),
  squote: define(
    [],
    (...values: unknown[]) =>
      values
        .filter((one) => !isNone(one))
        .map((one) => `'${plain(one)}'`)
        .join(' '),
    'any',
  ),
  cat: define(
    [],
    (...values: unknown[]) =>
      values
        .filter((one) => !isNone(one))
        .map(plain)
        .join(' '),
    'any',
  ),
  wrap: define(['int', 'string'], (width: bigint, text: string) => wrapWith(Number(width), '\n', text)),
  wrapWith: define(['int', 'string', 'string'], (width: bigint, separator: string, text: string) =>
    wrapWith(Number(width), separator, text),
  ),
  toString: define(['any'], (value: unknown) => plain(value)),
  toStrings: define(['any'], (value: unknown) =>
    (Array.isArray(value) ? (value as unknown[]) : [value]).map(plain),
  ),
  join: define(['string', 'any'], (separator: string, value: unknown) =>
    (Array.isArray(value) ? (value as unknown[]).filter((one) => !isNone(one)) : [value])
      .map(plain)
      .join(separator),
  ),
  splitList: define(['string', 'string'], (separator: string, text: string) => text.split(separator)),
  split: define(['string', 'string'], (separator: string, text: string) =>
    Object.fromEntries(text.split(separator).map((part, at) => [`_${at}`, part])),
  ),
  splitn: define(['string', 'int', 'string'], (separator: string, count: bigint, text: string) => {
    const parts = text.split(separator);
    const most = Number(count);
    const kept =
      parts.length > most ? [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)] : parts;
    return Object.fromEntries(kept.map((part, at) => [`_${at}`, part]));
  }),
  sortAlpha: define(['any'], (value: unknown) => toList(value, 'sortAlpha').map(plain).sort()),
  b64enc: define(['string'], (text: string) => Buffer.from(text).toString('base64')),
  b64dec: define(['string'], (text: string) => Buffer.from(text, 'base64').toString()),
  sha1sum: define(['string'], (text: string) => hash('sha1', text)),
  sha256sum: define(['string'], (text: string) => hash('sha256', text)),
  sha512sum: define(['string'], (text: string) => hash('sha512', text)),
  adler32sum: define(['string'], adler32),
  uuidv4: define([], () => randomUUID()),
  randAlphaNum: define(['int'], (count: bigint) =>
    randomText(count, alphabet + alphabet.toUpperCase() + digits),
  ),
  randAlpha: define(['int'], (count: bigint) => randomText(count, alphabet + alphabet.toUpperCase())),
  randNumeric: define(['int'], (count: bigint) => randomText(count, digits)),
  regexMatch: define(['string', 'string'], (pattern: string, text: string) => regex(pattern).test(text)),
  mustRegexMatch: define(['string', 'string'], (pattern: string, text: string) => regex(pattern).test(text)),
  regexFind: define(
    ['string', 'string'],
    (pattern: string, text: string) => regex(pattern).exec(text)?.[0] ?? '',
  ),
  regexFindAll: define(['string', 'string', 'int'], (pattern: string, text: string, count: bigint) => {
    const found = Array.from(text.matchAll(regex(pattern)), (match) => match[0]);
    return count < 0n ? found : found.slice(0, Number(count));
  }),
  regexReplaceAll: define(['string', 'string', 'string'], (pattern: string, text: string, next: string) =>
    text.replaceAll(
      regex(pattern),
      next.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => (/^\d+$/.test(name) ? `$${name}` : `$<${name}>`)),
    ),
  ),
  regexReplaceAllLiteral: define(
    ['string', 'string', 'string'],
    (pattern: string, text: string, next: string) => text.replaceAll(regex(pattern), () => next),
  ),
  regexSplit: define(['string', 'string', 'int'], (pattern: string, text: string, count: bigint) => {
    const parts = text.split(regex(pattern));
    return count < 0n ? parts : parts.slice(0, Number(count));
  }),
  regexQuoteMeta: define(['string'], (text: string) => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
  base: define(['string'], (path: string) => path.replace(/\/+$/, '').split('/').at(-1) ?? '.'),
  dir: define(['string'], (path: string) => {
    const parent = path.split('/').slice(0, -1).join('/');
    return parent === '' ? (path.startsWith('/') ? '/' : '.') : parent;
  }),
  ext: define(['string'], (path: string) => /\.[^./]*$/.exec(path)?.[0] ?? ''),
  clean: define(['string'], (path: string) => path.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1')),
  isAbs: define(['string'], (path: string) => path.startsWith('/')),
};

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';

function trimSet(set: string, text: string): string {
  const chars = Array.from(text);
  let from = 0;
  let to = chars.length;
  while (from < to && set.includes(chars[from] ?? '\0')) from++;
  while (to > from && set.includes(chars[to - 1] ?? '\0')) to--;
  return chars.slice(from, to).join('');
}

function words(text: string): string[] {
  return text
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .split(/[\s_-]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

function indent(spaces: bigint, text: string): string {
  const pad = ' '.repeat(Number(spaces));
  return pad + text.replaceAll('\n', `\n${pad}`);
}

function wrapWith(width: number, separator: string, text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(separator);
}

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}

function adler32(text: string): string {
  let a = 1;
  let b = 0;
  for (const byte of Buffer.from(text)) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}

function randomText(count: bigint, from: string): string {
  return Array.from(randomBytes(Number(count)), (byte) => from[byte % from.length]).join('');
}

/** Go's syntax for what JavaScript writes otherwise; `(?i)` and the like at the start become flags. */
export function regex(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const source = pattern
    .slice(flags?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll('\\z', '$')
    .replaceAll('\\A', '^');
  return new RegExp(source, `gu${flags?.[1] ?? ''}`);
}
