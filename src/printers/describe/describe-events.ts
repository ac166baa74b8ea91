import type { Event } from '../../api/core/v1.gen.ts';
import { humanDuration } from '../../machinery/duration.ts';
import type { TabText } from './tab-text.ts';

/** The events about an object, oldest first. `now` in milliseconds since the epoch. */
export function describeEvents(text: TabText, events: readonly Event[], now: number): void {
  if (events.length === 0) {
    text.line(0, 'Events:', '<none>');
    return;
  }
  text.line(0, 'Events:');
  text.line(1, 'Type', 'Reason', 'Age', 'From', 'Message');
  text.line(1, '----', '------', '----', '----', '-------');
  const ordered = events.toSorted((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1));
  for (const event of ordered) {
    text.line(
      1,
      event.type ?? '',
      event.reason ?? '',
      ageOf(event, now),
      event.source?.component ?? event.reportingComponent ?? '',
      (event.message ?? '').trim().replaceAll('\n', ' '),
    );
  }
}

function lastSeen({ series, lastTimestamp, eventTime, firstTimestamp }: Event): string {
  return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? '';
}

function ageOf(event: Event, now: number): string {
  const age = (time: string): string => (time === '' ? '<unknown>' : humanDuration(now - Date.parse(time)));
  const count = event.series?.count ?? event.count ?? 1;
  const last = age(lastSeen(event));
  return count > 1 ? `${last} (x${count} over ${age(event.firstTimestamp ?? event.eventTime ?? '')})` : last;
}
