import { isAuthority } from '../request-target.ts';
import type { FieldMeaning } from './field-meaning.ts';

/** The head of a request that is as plain as nearly all are. */
export interface RequestHead {
  readonly method: string;
  /** In origin form. */
  readonly target: string;
  readonly authority: string;
  /** The fields to hand on, each with its CRLF: without `Host`, `X-Forwarded-*` and fields of the connection. */
  readonly fields: string;
  /** All values, joined. */
  readonly forwardedFor?: string;
  readonly userAgent?: string;
  /** Bytes of the body; 0: there is none. */
  readonly length: number;
  readonly saysLength: boolean;
  /** Whether the client wants to go on with the connection. */
  readonly keepAlive: boolean;
}

const plain =
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \/[\x21-\x7e]* HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/;

/**
 * Reads a head, given as Latin-1 up to and with its empty line. Undefined unless it can be read in one way only and asks for
 * nothing but an answer: one host, at most one length, no transfer coding, no upgrade, no expectation.
 */
export function readRequestHead(
  text: string,
  meaningOf: (name: string) => FieldMeaning,
): RequestHead | undefined {
  if (!plain.test(text)) return undefined;
  const methodEnd = text.indexOf(' ');
  const targetEnd = text.indexOf(' ', methodEnd + 1);
  let authority: string | undefined;
  let forwardedFor: string | undefined;
  let userAgent: string | undefined;
  let length: string | undefined;
  let keepAlive = true;
  let fields = '';
  let keptFrom = targetEnd + ' HTTP/1.1\r\n'.length;
  for (let at = keptFrom; at < text.length - 2;) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r\n', colon);
    const meaning = meaningOf(text.slice(at, colon));
    const next = end + 2;
    switch (meaning) {
      case 'passed':
      case 'date':
        at = next;
        continue;
      case 'agent':
        userAgent ??= valueOf(text, colon, end);
        at = next;
        continue;
      case 'length':
        if (length !== undefined) return undefined;
        length = valueOf(text, colon, end);
        at = next;
        continue;
      case 'host':
        if (authority !== undefined) return undefined;
        authority = valueOf(text, colon, end);
        break;
      case 'connection': {
        const value = valueOf(text, colon, end).toLowerCase();
        if (value === 'close') keepAlive = false;
        else if (value !== 'keep-alive') return undefined;
        break;
      }
      case 'forwarded-for': {
        const value = valueOf(text, colon, end);
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`;
        break;
      }
      case 'dropped':
        break;
      default:
        return undefined;
    }
    if (at > keptFrom) fields += text.slice(keptFrom, at);
    keptFrom = at = next;
  }
  if (authority === undefined || !isAuthority(authority)) return undefined;
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return undefined;
  fields += text.slice(keptFrom, text.length - 2);
  return {
    method: text.slice(0, methodEnd),
    target: text.slice(methodEnd + 1, targetEnd),
    authority,
    fields,
    ...(forwardedFor !== undefined && { forwardedFor }),
    ...(userAgent !== undefined && { userAgent }),
    length: length === undefined ? 0 : Number(length),
    saysLength: length !== undefined,
    keepAlive,
  };
}

/** The value of a field without the space around it. */
export function valueOf(text: string, colon: number, end: number): string {
  return text.slice(colon + 1, end).trim();
}
