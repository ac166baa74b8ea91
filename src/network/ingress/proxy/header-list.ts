import type { HeaderChange } from './proxy-configuration.ts';

/** Header fields as they go over the wire: name, value, name, value … */
export type HeaderList = readonly string[];

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
  'expect',
]);

/** The first value of a field, by its lower-case name. */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2)
    if (headers[at]?.toLowerCase() === name) return headers[at + 1];
  return undefined;
}

/** All values of a field, joined as one (RFC 9110, 5.2); undefined when there is none. */
export function joinedValue(headers: HeaderList, name: string): string | undefined {
  let joined: string | undefined;
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]?.toLowerCase() !== name) continue;
    joined = joined === undefined ? (headers[at + 1] ?? '') : `${joined}, ${headers[at + 1] ?? ''}`;
  }
  return joined;
}

/** What a proxy hands on (RFC 9110, 7.6.1): all but fields of the connection, those that `Connection` names included. */
export function endToEnd(headers: HeaderList, also?: ReadonlySet<string>): string[] {
  const named = connectionNames(headers);
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || also?.has(lower) || named?.has(lower)) continue;
    kept.push(name, headers[at + 1] ?? '');
  }
  return kept;
}

function connectionNames(headers: HeaderList): ReadonlySet<string> | undefined {
  const text = joinedValue(headers, 'connection');
  if (text === undefined) return undefined;
  const names = text.toLowerCase().split(',');
  return new Set(names.map((name) => name.trim()));
}

/** Sets, adds and removes fields, in this order, as the header filters of the Gateway API do. */
export function changeHeaders(headers: HeaderList, change: HeaderChange | undefined): readonly string[] {
  if (!change) return headers;
  const gone = new Set([
    ...change.remove.map((name) => name.toLowerCase()),
    ...change.set.map(({ name }) => name.toLowerCase()),
  ]);
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!gone.has(name.toLowerCase())) kept.push(name, headers[at + 1] ?? '');
  }
  for (const { name, value } of change.set) kept.push(name, value);
  const removed = new Set(change.remove.map((name) => name.toLowerCase()));
  for (const { name, value } of change.add) {
    if (removed.has(name.toLowerCase())) continue;
    const at = kept.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name.toLowerCase());
    if (at < 0) kept.push(name, value);
    else kept[at + 1] = `${kept[at + 1] ?? ''},${value}`;
  }
  return kept;
}

/** Whether fields can be written without meaning anything else (RFC 9110, 5.5). */
export function isSound(list: HeaderList): boolean {
  return list.every((text, at) =>
    at % 2 === 0 ? /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text) : /^[\t\x20-\x7e\x80-\xff]*$/.test(text),
  );
}

/** As an object with lower-case names and arrays for fields that come more than once: what HTTP/2 takes. */
export function headerObject(headers: HeaderList): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {};
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    const value = headers[at + 1] ?? '';
    const before = object[name];
    if (before === undefined) object[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else object[name] = [before, value];
  }
  return object;
}

/** The fields of an HTTP/2 header block without its pseudo fields. */
export function headerList(
  object: Readonly<Record<string, string | readonly string[] | number | undefined>>,
): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(object)) {
    if (name.startsWith(':') || value === undefined) continue;
    if (Array.isArray(value)) for (const one of value as readonly string[]) list.push(name, one);
    else list.push(name, String(value));
  }
  return list;
}
