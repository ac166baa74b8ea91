import type { CelTimestamp } from './value.ts';

const SHAPE =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))$/;

/** Reads RFC 3339; undefined when the text is none or the day does not exist. */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', sign, offsetHours, offsetMinutes] =
    SHAPE.exec(text) ?? [];
  if (year === undefined) return undefined;
  const time = [Number(hour), Number(minute), Number(second)] as const;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const isDay = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  if (!isDay || time[0] > 23 || time[1] > 59 || time[2] > 59) return undefined;
  if (Number(offsetHours ?? 0) > 24 || Number(offsetMinutes ?? 0) > 60) return undefined;
  const offset = (Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * (sign === '-' ? -60 : 60);
  const seconds = date.getTime() / 1000 + time[0] * 3600 + time[1] * 60 + time[2] - offset;
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, '0') || '0');
  return { kind: 'timestamp', nanos: BigInt(seconds) * 1_000_000_000n + nanos };
}

/** RFC 3339 in UTC with as many decimals as needed. */
export function formatTimestamp({ nanos }: CelTimestamp): string {
  const rest = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanos - rest) / 1_000_000_000n;
  const fraction = String(rest).padStart(9, '0').replace(/0+$/, '');
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${base}${fraction === '' ? '' : `.${fraction}`}Z`;
}
