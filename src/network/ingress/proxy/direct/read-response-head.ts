import type { FieldMeaning } from './field-meaning.ts';
import { valueOf } from './read-request-head.ts';

/** The head of an endpoint's answer. */
export interface ResponseHead {
  readonly status: number;
  /** The reason phrase. */
  readonly reason: string;
  /** The fields to hand on, each with its CRLF: without those of the connection, and without the transfer coding. */
  readonly fields: string;
  readonly hasDate: boolean;
  /** Where the body ends; `none`: there is none, whatever the fields say. */
  readonly body: 'none' | 'length' | 'chunked' | 'close';
  readonly length: number;
  /** Whether the connection may carry another request. */
  readonly reusable: boolean;
}

const plain =
  /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;

/**
 * Reads a head, given as Latin-1 up to and with its empty line. Undefined when it is not one, or when it leaves open where the
 * body ends (RFC 9112, 6.3): a length beside a coding, several lengths, a coding other than chunked.
 */
export function readResponseHead(
  text: string,
  method: string,
  meaningOf: (name: string) => FieldMeaning,
): ResponseHead | undefined {
  if (!plain.test(text)) return undefined;
  const lineEnd = text.indexOf('\r\n');
  const status = Number(text.slice(9, 12));
  let length: string | undefined;
  let coding: string | undefined;
  let named: readonly string[] | undefined;
  let hasDate = false;
  let reusable = text.charCodeAt(7) === 0x31;
  let fields = '';
  let keptFrom = lineEnd + 2;
  for (let at = keptFrom; at < text.length - 2;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    const next = end + 2;
    const name = text.slice(at, colon);
    switch (meaningOf(name)) {
      case 'date':
        hasDate = true;
        at = next;
        continue;
      case 'length':
        if (length !== undefined) return undefined;
        length = valueOf(text, colon, end);
        at = next;
        continue;
      case 'coding':
        if (coding !== undefined) return undefined;
        coding = valueOf(text, colon, end).toLowerCase();
        break;
      case 'connection': {
        const names = valueOf(text, colon, end).toLowerCase().split(',');
        named = [...(named ?? []), ...names.map((one) => one.trim())];
        break;
      }
      case 'odd':
        if (name.length === 7 && name.toLowerCase() === 'trailer') {
          at = next;
          continue;
        }
        break;
      case 'dropped':
        if (name.charCodeAt(0) === 0x78 || name.charCodeAt(0) === 0x58) {
          at = next;
          continue;
        }
        break;
      default:
        at = next;
        continue;
    }
    if (at > keptFrom) fields += text.slice(keptFrom, at);
    keptFrom = at = next;
  }
  fields += text.slice(keptFrom, text.length - 2);
  if (length !== undefined && (coding !== undefined || !/^\d{1,15}$/.test(length))) return undefined;
  if (coding !== undefined && (coding !== 'chunked' || !reusable)) return undefined;
  if (named) {
    if (named.includes('close')) reusable = false;
    const others = named.filter((one) => one !== 'close' && one !== 'keep-alive' && one !== '');
    if (others.length > 0) fields = without(fields, others);
  }
  const bodiless = method === 'HEAD' || status === 204 || status === 304 || status < 200;
  const body = bodiless ? 'none' : coding ? 'chunked' : length === undefined ? 'close' : 'length';
  return {
    status,
    reason: text.slice(13, lineEnd),
    fields,
    hasDate,
    body,
    length: length === undefined ? 0 : Number(length),
    reusable: reusable && body !== 'close',
  };
}

function without(fields: string, names: readonly string[]): string {
  const lines = fields.split('\r\n').slice(0, -1);
  const kept = lines.filter((line) => !names.includes(line.slice(0, line.indexOf(':')).toLowerCase()));
  return kept.map((line) => `${line}\r\n`).join('');
}
