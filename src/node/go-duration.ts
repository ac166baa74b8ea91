import { formatDuration } from '../machinery/duration.ts';

/** Milliseconds as Go prints a `time.Duration`: `10s`, `1m20s`, `5m0s`, `350ms`. */
export function goDuration(ms: number): string {
  return formatDuration(BigInt(Math.round(ms * 1000)) * 1000n);
}
