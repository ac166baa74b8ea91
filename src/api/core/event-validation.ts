import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123SubdomainErrors, qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { internalCore } from './internal-types.ts';
import type { Event } from './v1.gen.ts';

const MAX_WORD = 128;
const MAX_MESSAGE = 1024;

/** What every event must meet, whichever API it came through; those with an event time must meet more. */
export function validateCoreEvent(event: Event): FieldError[] {
  const { metadata, involvedObject, eventTime } = event;
  const namespace = metadata.namespace ?? '';
  const about = involvedObject.namespace ?? '';
  const mismatch = invalid('involvedObject.namespace', about, 'does not match event.namespace');
  const errors: FieldError[] = [];
  if (!eventTime) {
    if (about === '' ? namespace !== '' && namespace !== 'default' : namespace !== about)
      errors.push(mismatch);
  } else {
    if (about === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch);
    errors.push(...validateWords(event));
  }
  return [
    ...errors,
    ...dns1123SubdomainErrors(namespace).map((message) => invalid('namespace', namespace, message)),
  ];
}

function validateWords(event: Event): FieldError[] {
  const { reportingComponent, reportingInstance, action = '', reason = '', message = '' } = event;
  const errors: FieldError[] = [];
  if (!reportingComponent) errors.push(required('reportingController'));
  errors.push(
    ...qualifiedNameErrors(reportingComponent ?? '').map((problem) =>
      invalid('reportingController', reportingComponent ?? '', problem),
    ),
    ...validateWord('reportingInstance', reportingInstance ?? ''),
    ...validateWord('action', action),
    ...validateWord('reason', reason),
  );
  if (Buffer.byteLength(message) > MAX_MESSAGE) {
    errors.push(invalid('message', '', `can have at most ${MAX_MESSAGE} characters`));
  }
  return errors;
}

function validateWord(field: string, value: string): FieldError[] {
  if (value === '') return [required(field)];
  return Buffer.byteLength(value) > MAX_WORD
    ? [invalid(field, '', `can have at most ${MAX_WORD} characters`)]
    : [];
}

/** What events created through `events.k8s.io/v1` must meet beyond that. */
export function validateNewEvent(event: Event): FieldError[] {
  const { eventTime, type = '', firstTimestamp, lastTimestamp, count, source } = event;
  const errors: FieldError[] = [];
  if (!eventTime) errors.push(required('eventTime'));
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${type}`));
  const old = { firstTimestamp, lastTimestamp, count, source: source?.component || source?.host };
  for (const [field, value] of Object.entries(old)) {
    if (value) errors.push(invalid(field, '', 'needs to be unset'));
  }
  return [...errors, ...validateSeries(event)];
}

function validateSeries({ series }: Event): FieldError[] {
  if (!series) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < 2) errors.push(invalid('series.count', '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required('series.lastObservedTime'));
  return errors;
}

const FIXED = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
  ['action', 'action'],
  ['type', 'type'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['related', 'related'],
  ['message', 'message'],
  ['eventTime', 'eventTime'],
] as const;

/** What updates through `events.k8s.io/v1` must meet: only the series may change. */
export function validateNewEventUpdate(next: Event, old: Event): FieldError[] {
  return [
    ...(jsonEqual(next.series, old.series) ? [] : validateSeries(next)),
    ...FIXED.flatMap(([field, shown]) => fixed(field, shown, { next, old })),
  ];
}

/** Types of upstream's internal form, in which messages show these fields. */
const internal: Readonly<Record<string, string>> = {
  involvedObject: 'ObjectReference',
  related: 'ObjectReference',
  source: 'EventSource',
};

function fixed(
  field: (typeof FIXED)[number][0],
  shown: string,
  { next, old }: { readonly next: Event; readonly old: Event },
): FieldError[] {
  const value = next[field];
  if (jsonEqual(value, old[field])) return [];
  const type = internal[field];
  const printed = type === undefined || typeof value !== 'object' ? value : internalCore(type, value);
  return [invalid(shown, printed, 'field is immutable')];
}
