import { newBadRequest } from '../../machinery/status/errors.ts';
import type { RequestInfo } from './request-info.ts';

/** The longest that a request may take which is neither a watch nor a stream (`--request-timeout` of upstream). */
const longestMs = 60_000;
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const streams = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);

/** Whether a request may go on for as long as both sides like. */
export function isLongRunning(info: RequestInfo): boolean {
  if (!info.isResource) return false;
  return info.verb === 'watch' || (info.subresource !== undefined && streams.has(info.subresource));
}

/** A text of Go's `time.ParseDuration` in milliseconds. Throws `RangeError` in Go's words. */
function parseGoDuration(text: string): number {
  const quoted = JSON.stringify(text);
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (rest === '0') return 0;
  let total = 0;
  let left = rest;
  while (left !== '') {
    const [whole = '', number = '', unit = ''] = /^([0-9]*(?:\.[0-9]*)?)([^0-9.]*)/.exec(left) ?? [];
    if (number === '' || number === '.') throw new RangeError(`time: invalid duration ${quoted}`);
    if (unit === '') throw new RangeError(`time: missing unit in duration ${quoted}`);
    const scale = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined;
    if (scale === undefined)
      throw new RangeError(`time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`);
    total += Number(number) * scale;
    left = left.slice(whole.length);
  }
  if (rest === '') throw new RangeError(`time: invalid duration ${quoted}`);
  return sign === '-' ? -total : total;
}

/** How long a request may take: what its `timeout` says, up to a minute. Throws 400 for a `timeout` that is no duration. */
export function requestTimeoutMs(query: URLSearchParams): number {
  const text = query.get('timeout');
  if (!text) return longestMs;
  try {
    const wanted = parseGoDuration(text);
    return wanted > 0 && wanted < longestMs ? wanted : longestMs;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw newBadRequest(`invalid timeout specified in the request URL - ${error.message}`);
  }
}
