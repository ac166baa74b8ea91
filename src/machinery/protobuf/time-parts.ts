/** Seconds since the epoch and nanoseconds, of a canonical RFC 3339 time in UTC. */
export function timeParts(text: string): { readonly seconds: number; readonly nanos: number } {
  const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? '';
  const seconds = Date.parse(`${text.slice(0, 19)}Z`) / 1000;
  return { seconds, nanos: Number(fraction.padEnd(9, '0')) };
}

const earliest = Date.parse('0000-01-01T00:00:00Z') / 1000;
const latest = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** The text of a time, with six digits after the second for `microTime`. Years outside of 0 to 9999 become those. */
export function timeText(seconds: number, nanos: number, type: 'time' | 'microTime'): string {
  const date = new Date(Math.min(Math.max(seconds, earliest), latest) * 1000);
  const whole = date.toISOString().slice(0, 19);
  if (type === 'time') return `${whole}Z`;
  return `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}
