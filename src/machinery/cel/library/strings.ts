import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { formatText } from '../format-text.ts';
import { asInt, asList, asText } from '../value-guards.ts';
import { items, listOfValues } from '../value.ts';
import type { CelValue } from '../value.ts';

/** The standard functions of strings and cel-go's strings extension, version 2. Positions count characters. */
export function stringFunctions(): FunctionLibrary {
  return [
    {
      id: 'contains_string',
      signature: '<string>.contains(string) -> bool',
      run: (text, part) => asText(text).includes(asText(part)),
    },
    {
      id: 'starts_with_string',
      signature: '<string>.startsWith(string) -> bool',
      run: (text, part) => asText(text).startsWith(asText(part)),
    },
    {
      id: 'ends_with_string',
      signature: '<string>.endsWith(string) -> bool',
      run: (text, part) => asText(text).endsWith(asText(part)),
    },
    { id: 'string_char_at_int', signature: '<string>.charAt(int) -> string', run: charAt },
    { id: 'string_index_of_string', signature: '<string>.indexOf(string) -> int', run: indexOf },
    { id: 'string_index_of_string_int', signature: '<string>.indexOf(string, int) -> int', run: indexOf },
    { id: 'string_last_index_of_string', signature: '<string>.lastIndexOf(string) -> int', run: lastIndexOf },
    {
      id: 'string_last_index_of_string_int',
      signature: '<string>.lastIndexOf(string, int) -> int',
      run: lastIndexOf,
    },
    {
      id: 'string_lower_ascii',
      signature: '<string>.lowerAscii() -> string',
      run: (text) => asText(text).replaceAll(/[A-Z]+/g, (part) => part.toLowerCase()),
    },
    {
      id: 'string_upper_ascii',
      signature: '<string>.upperAscii() -> string',
      run: (text) => asText(text).replaceAll(/[a-z]+/g, (part) => part.toUpperCase()),
    },
    {
      id: 'string_replace_string_string',
      signature: '<string>.replace(string, string) -> string',
      run: replace,
    },
    {
      id: 'string_replace_string_string_int',
      signature: '<string>.replace(string, string, int) -> string',
      run: replace,
    },
    { id: 'string_split_string', signature: '<string>.split(string) -> list(string)', run: split },
    { id: 'string_split_string_int', signature: '<string>.split(string, int) -> list(string)', run: split },
    { id: 'string_substring_int', signature: '<string>.substring(int) -> string', run: substring },
    { id: 'string_substring_int_int', signature: '<string>.substring(int, int) -> string', run: substring },
    {
      id: 'string_trim',
      signature: '<string>.trim() -> string',
      run: (text) => asText(text).replaceAll(EDGE_SPACE, ''),
    },
    { id: 'list_join', signature: '<list(string)>.join() -> string', run: join },
    { id: 'list_join_string', signature: '<list(string)>.join(string) -> string', run: join },
    { id: 'strings_quote', signature: 'strings.quote(string) -> string', run: (text) => quote(asText(text)) },
    {
      id: 'string_format',
      signature: '<string>.format(list(dyn)) -> string',
      run: (text, args) => formatText(asText(text), items(asList(args))),
    },
  ];
}

const EDGE_SPACE = /^[\s\u0085]+|[\s\u0085]+$/gu;

function charAt(text?: CelValue, index?: CelValue): CelValue {
  const points = Array.from(asText(text));
  const at = asInt(index);
  if (at < 0n || at > BigInt(points.length)) return evaluationError(`index out of range: ${at}`);
  return points[Number(at)] ?? '';
}

function indexOf(text?: CelValue, part?: CelValue, offset?: CelValue): CelValue {
  const points = Array.from(asText(text));
  const sought = Array.from(asText(part));
  const start = offset === undefined ? 0n : asInt(offset);
  if (sought.length === 0 && offset === undefined) return 0n;
  if (offset !== undefined && (start < 0n || start > BigInt(points.length))) {
    return evaluationError(`index out of range: ${start}`);
  }
  if (sought.length === 0) return start;
  for (let at = Number(start); at <= points.length - sought.length; at++) {
    if (matchesAt(points, sought, at)) return BigInt(at);
  }
  return -1n;
}

function lastIndexOf(text?: CelValue, part?: CelValue, offset?: CelValue): CelValue {
  const points = Array.from(asText(text));
  const sought = Array.from(asText(part));
  if (offset === undefined && sought.length === 0) return BigInt(points.length);
  if (offset === undefined && points.length < sought.length) return -1n;
  const start = offset === undefined ? BigInt(points.length - 1) : asInt(offset);
  if (start < 0n || start >= BigInt(Math.max(points.length, offset === undefined ? 1 : 0))) {
    return evaluationError(`index out of range: ${start}`);
  }
  if (sought.length === 0) return start;
  for (let at = Math.min(Number(start), points.length - sought.length); at >= 0; at--) {
    if (matchesAt(points, sought, at)) return BigInt(at);
  }
  return -1n;
}

function matchesAt(points: readonly string[], sought: readonly string[], at: number): boolean {
  return sought.every((char, index) => points[at + index] === char);
}

function replace(text?: CelValue, old?: CelValue, next?: CelValue, limit?: CelValue): CelValue {
  const subject = asText(text);
  const sought = asText(old);
  const count = limit === undefined ? -1 : Number(asInt(limit));
  if (count < 0)
    return sought === ''
      ? interleave(subject, asText(next), -1)
      : subject.replaceAll(sought, () => asText(next));
  if (sought === '') return interleave(subject, asText(next), count);
  let result = '';
  let rest = subject;
  for (let done = 0; done < count; done++) {
    const at = rest.indexOf(sought);
    if (at < 0) break;
    result += rest.slice(0, at) + asText(next);
    rest = rest.slice(at + sought.length);
  }
  return result + rest;
}

/** Replacing the empty text: before each character and at the end, at most `count` times. */
function interleave(text: string, inserted: string, count: number): string {
  const points = Array.from(text);
  let left = count < 0 ? points.length + 1 : count;
  let result = '';
  for (const point of points) {
    if (left > 0) {
      result += inserted;
      left--;
    }
    result += point;
  }
  return left > 0 ? result + inserted : result;
}

function split(text?: CelValue, separator?: CelValue, limit?: CelValue): CelValue {
  const subject = asText(text);
  const count = limit === undefined ? -1 : Number(asInt(limit));
  if (count === 0) return listOfValues([]);
  const parts = asText(separator) === '' ? Array.from(subject) : subject.split(asText(separator));
  if (count < 0 || parts.length <= count) return listOfValues(parts);
  const rest = parts.slice(count - 1).join(asText(separator));
  return listOfValues([...parts.slice(0, count - 1), rest]);
}

function substring(text?: CelValue, from?: CelValue, to?: CelValue): CelValue {
  const points = Array.from(asText(text));
  const length = BigInt(points.length);
  const start = asInt(from);
  if (to === undefined) {
    if (start < 0n || start > length) return evaluationError(`index out of range: ${start}`);
    return points.slice(Number(start)).join('');
  }
  const end = asInt(to);
  if (start > end) return evaluationError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0n || start > length) return evaluationError(`index out of range: ${start}`);
  if (end < 0n || end > length) return evaluationError(`index out of range: ${end}`);
  return points.slice(Number(start), Number(end)).join('');
}

function join(list?: CelValue, separator?: CelValue): CelValue {
  return items(asList(list))
    .map((item) => (typeof item === 'string' ? item : evaluationError('no such overload')))
    .join(separator === undefined ? '' : asText(separator));
}

const QUOTE_ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

function quote(text: string): string {
  const escaped = text.replaceAll(/["\\\p{Cc}]/gu, (char) => QUOTE_ESCAPES[char] ?? char);
  return `"${escaped}"`;
}
