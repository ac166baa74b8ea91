import type { DeepMutable, KubeObject, ResourceType } from '../../machinery/object.ts';
import { type Event as NewEvent, events as newEvents } from '../events/v1.gen.ts';
import { age } from '../columns.ts';
import { type Column, defineResource, type ResourceDefinition } from '../resource.ts';
import { validateCoreEvent, validateNewEvent, validateNewEventUpdate } from './event-validation.ts';
import { type Event, events as eventType, type ObjectReference } from './v1.gen.ts';

/** How long an event is kept, in milliseconds. */
const EVENT_TTL_MS = 60 * 60 * 1000;

const ABOUT = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'] as const;

/** What happened to an object. `v1` is stored; `events.k8s.io/v1` shows the same objects in newer words. */
export const events: ResourceDefinition<Event> = defineResource<Event>({
  storage: 'v1',
  versions: {
    v1: { type: eventType, schema: 'io.k8s.api.core.v1.Event' },
    'events.k8s.io/v1': {
      type: newEvents as ResourceType<KubeObject> as ResourceType<Event>,
      schema: 'io.k8s.api.events.v1.Event',
      toStorage: (object: KubeObject) => renamed(object, TO_CORE, 'v1'),
      fromStorage: (object: KubeObject) =>
        renamed(object, FROM_CORE, 'events.k8s.io/v1') as DeepMutable<Event>,
      validate: validateNewEvent,
      validateUpdate: validateNewEventUpdate,
    },
  },
  qualifiedFinalizers: false,
  createOnUpdate: true,
  ttlMs: EVENT_TTL_MS,
  validate: validateCoreEvent,
  validateUpdate: (next) => validateCoreEvent(next),
  selectableFields: {
    ...aboutFields('involvedObject'),
    ...aboutFields('regarding'),
    reason: ({ reason = '' }) => reason,
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    reportingController: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
    type: ({ type = '' }) => type,
  },
  columns: eventColumns(),
});

const TO_CORE: Readonly<Record<string, string>> = {
  note: 'message',
  regarding: 'involvedObject',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
} satisfies Partial<Record<keyof NewEvent, keyof Event>>;

const FROM_CORE: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(TO_CORE).map(([newName, coreName]) => [coreName, newName]),
);

function renamed(
  object: KubeObject,
  names: Readonly<Record<string, string>>,
  apiVersion: string,
): DeepMutable<KubeObject> {
  const members = Object.entries(object).map(([key, value]): [string, unknown] => [
    Object.hasOwn(names, key) ? (names[key] ?? key) : key,
    value,
  ]);
  return { ...(Object.fromEntries(members) as DeepMutable<KubeObject>), apiVersion };
}

/** The same fields under the word of either version. */
function aboutFields(word: 'involvedObject' | 'regarding'): Record<string, (event: Event) => string> {
  return Object.fromEntries(
    ABOUT.map((field) => [`${word}.${field}`, (event: Event): string => about(event)[field] ?? '']),
  );
}

function eventColumns(): Column<Event>[] {
  return [
    { name: 'Last Seen', type: 'string', cell: (event, now) => age(lastSeen(event), now) },
    { name: 'Type', type: 'string', cell: ({ type = '' }) => type },
    { name: 'Reason', type: 'string', cell: ({ reason = '' }) => reason },
    { name: 'Object', type: 'string', cell: aboutObject },
    {
      name: 'Subobject',
      type: 'string',
      priority: 1,
      cell: (event) => about(event).fieldPath ?? '',
    },
    { name: 'Source', type: 'string', priority: 1, cell: reporter },
    { name: 'Message', type: 'string', cell: ({ message = '' }) => message.trim() },
    { name: 'First Seen', type: 'string', priority: 1, cell: (event, now) => age(firstSeen(event), now) },
    {
      name: 'Count',
      type: 'string',
      priority: 1,
      cell: ({ series, count }) => series?.count ?? (count || 1),
    },
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      priority: 1,
      cell: ({ metadata }) => metadata.name ?? '',
    },
  ];
}

function firstSeen({ firstTimestamp, eventTime }: Event): string | undefined {
  return firstTimestamp || eventTime;
}

function lastSeen(event: Event): string | undefined {
  return event.series?.lastObservedTime || event.lastTimestamp || firstSeen(event);
}

/** The newer words may leave out what an event is about. */
function about(event: { readonly involvedObject?: ObjectReference }): Partial<ObjectReference> {
  return event.involvedObject ?? {};
}

function aboutObject(event: Event): string {
  const { kind = '', name = '' } = about(event);
  return name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
}

function reporter({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent;
  const instance = source?.host || reportingInstance;
  return [component, instance].filter(Boolean).join(', ');
}
