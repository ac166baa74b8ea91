import { goQuote } from '../go-quote.ts';

/** The parts of a URL as Go's `net/url` names them. */
export interface RequestUri {
  readonly scheme: string;
  /** With the port. */
  readonly host: string;
  readonly escapedPath: string;
  readonly rawQuery: string;
}

export type ParsedUri = RequestUri | { readonly error: string };

/** Reads an absolute URL or an absolute path, as Go's `url.ParseRequestURI` does and with its errors. */
export function parseRequestUri(text: string): ParsedUri {
  const parsed = parse(text);
  return typeof parsed === 'string' ? { error: `parse ${goQuote(text)}: ${parsed}` } : parsed;
}

function parse(text: string): RequestUri | string {
  if (hasControl(text)) return 'net/url: invalid control character in URL';
  if (text === '') return 'empty url';
  const scheme = schemeOf(text);
  if (scheme === undefined) return 'missing protocol scheme';
  let rest = scheme === '' ? text : text.slice(scheme.length + 1);
  const query = rest.indexOf('?');
  const rawQuery = query < 0 ? '' : rest.slice(query + 1);
  if (query >= 0) rest = rest.slice(0, query);
  if (!rest.startsWith('/')) {
    if (scheme === '') return 'invalid URI for request';
    return { scheme: scheme.toLowerCase(), host: '', escapedPath: '', rawQuery };
  }
  let host = '';
  if (scheme !== '' && rest.startsWith('//')) {
    const [, authority = '', path = ''] = /^\/\/([^/]*)(.*)$/s.exec(rest) ?? [];
    const found = hostOf(authority);
    if ('error' in found) return found.error;
    ({ host } = found);
    rest = path;
  }
  const escape = badEscape(rest);
  if (escape !== undefined) return `invalid URL escape ${goQuote(escape)}`;
  return { scheme: scheme.toLowerCase(), host, escapedPath: escapePath(rest), rawQuery };
}

function hasControl(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Empty when there is none; undefined when a colon comes first. */
function schemeOf(text: string): string | undefined {
  if (text.startsWith(':')) return undefined;
  return /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1] ?? '';
}

function hostOf(authority: string): { readonly host: string } | { readonly error: string } {
  const at = authority.lastIndexOf('@');
  const userinfo = at < 0 ? '' : authority.slice(0, at);
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(userinfo)) return { error: 'net/url: invalid userinfo' };
  const host = authority.slice(at + 1);
  if (host.startsWith('[')) {
    const end = host.lastIndexOf(']');
    if (end < 0) return { error: "missing ']' in host" };
    const port = host.slice(end + 1);
    if (!/^(?::[0-9]*)?$/.test(port)) return { error: `invalid port ${goQuote(port)} after host` };
    return { host };
  }
  const colon = host.lastIndexOf(':');
  const port = colon < 0 ? '' : host.slice(colon);
  if (!/^(?::[0-9]*)?$/.test(port)) return { error: `invalid port ${goQuote(port)} after host` };
  const bad = /[\s"`^{}|\\<>]/.exec(host)?.[0];
  if (bad !== undefined && !'"<>'.includes(bad))
    return { error: `invalid character ${goQuote(bad)} in host name` };
  const escape = badEscape(host);
  return escape === undefined ? { host: decode(host) } : { error: `invalid URL escape ${goQuote(escape)}` };
}

function badEscape(text: string): string | undefined {
  return /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(text)?.[0];
}

function decode(text: string): string {
  return text.includes('%') ? Buffer.from(unescapeBytes(text)).toString('utf8') : text;
}

function unescapeBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const part of text.split(/(%[0-9A-Fa-f]{2})/)) {
    if (/^%[0-9A-Fa-f]{2}$/.test(part)) bytes.push(Number.parseInt(part.slice(1), 16));
    else bytes.push(...Buffer.from(part));
  }
  return Uint8Array.from(bytes);
}

/** A path that is escaped already stays; any other character is escaped. */
function escapePath(path: string): string {
  if (/^[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]%]*$/.test(path)) return path;
  return [...unescapeBytes(path)]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~$&+,/:;=@]/.test(char)
        ? char
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** The values of each query parameter in order; what Go cannot read is left out. */
export function parseQuery(rawQuery: string): ReadonlyMap<string, string[]> {
  const query = new Map<string, string[]>();
  for (const pair of rawQuery.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const [name = '', ...rest] = pair.split('=');
    if (badEscape(pair) !== undefined) continue;
    const key = decode(name.replaceAll('+', ' '));
    const values = query.get(key) ?? [];
    values.push(decode(rest.join('=').replaceAll('+', ' ')));
    query.set(key, values);
  }
  return query;
}
