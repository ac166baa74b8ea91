/** Local time, its parts as a clock on the wall shows them; `month` counts from 1. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly weekday: number;
}

/** A time zone's clock. Instants are milliseconds since the Unix epoch. */
export interface WallClock {
  read(instant: number): WallTime;
  /** The first instant of a day, which is not midnight where the clock skips that; days past a month's end count on. */
  startOf(day: { readonly year: number; readonly month: number; readonly day: number }): number;
  /** Milliseconds by which the clock is ahead of UTC. */
  offsetAt(instant: number): number;
}

/** The clock of a zone of the IANA database. Throws `RangeError` when there is none of that name. */
export function wallClock(timeZone: string): WallClock {
  const offsetAt = timeZone === 'UTC' ? (): number => 0 : zoneOffset(timeZone);
  return {
    offsetAt,
    read(instant) {
      const date = new Date(instant + offsetAt(instant));
      return {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        weekday: date.getUTCDay(),
      };
    },
    startOf({ year, month, day }) {
      const midnight = Date.UTC(year, month - 1, day);
      const guess = midnight - offsetAt(midnight);
      const instant = midnight - offsetAt(guess);
      const lacking = midnight - (instant + offsetAt(instant));
      return instant + Math.max(0, lacking);
    },
  };
}

function zoneOffset(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const shown = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    );
    return shown - Math.floor(instant / 1000) * 1000;
  };
}
