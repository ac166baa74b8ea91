import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { events } from './events.ts';
import type { Event } from './v1.gen.ts';

const core: Event = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'n' },
  involvedObject: { kind: 'Pod', namespace: 'n', name: 'p', fieldPath: 'spec.containers{main}' },
  reason: 'Started',
  message: 'Started container\n',
  source: { component: 'kubelet', host: 'n1' },
  firstTimestamp: '2026-01-01T00:00:00Z',
  lastTimestamp: '2026-01-01T00:01:00Z',
  count: 3,
  type: 'Normal',
  reportingComponent: '',
  reportingInstance: '',
};

const fresh: Event = {
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'n' },
  involvedObject: { kind: 'Pod', namespace: 'n', name: 'p' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reason: 'Why',
  action: 'Act',
  type: 'Normal',
  reportingComponent: 'example.com/c',
  reportingInstance: 'i-1',
};

const newer = events.versions['events.k8s.io/v1'];

describe('events', () => {
  it('show the same object in the words of either version', () => {
    const shown = newer?.fromStorage?.(mutableCopy<KubeObject>(core));
    expect(shown).toMatchObject({
      apiVersion: 'events.k8s.io/v1',
      regarding: core.involvedObject,
      note: core.message,
      deprecatedCount: 3,
      deprecatedSource: core.source,
      reportingController: '',
    });
    expect(shown && newer?.toStorage?.(shown)).toEqual(core);
  });

  it.each<[string, Event, string[]]>([
    ['good', core, []],
    [
      'about another namespace',
      { ...core, involvedObject: { namespace: 'other' } },
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
    [
      'about the cluster',
      { ...core, involvedObject: {} },
      ['involvedObject.namespace: Invalid value: "": does not match event.namespace'],
    ],
    ['good with a time', fresh, []],
    ['without an instance', { ...fresh, reportingInstance: '' }, ['reportingInstance: Required value']],
    [
      'long action',
      { ...fresh, action: 'a'.repeat(129) },
      ['action: Invalid value: "": can have at most 128 characters'],
    ],
    [
      'long message',
      { ...fresh, message: 'a'.repeat(1025) },
      ['message: Invalid value: "": can have at most 1024 characters'],
    ],
  ])('validate: %s', (_name, event, errors) => {
    expect(events.validate?.(event).map(({ field, message }) => `${field}: ${message}`)).toEqual(errors);
  });

  it.each<[string, Event, string[]]>([
    ['good', fresh, []],
    [
      'deprecated fields',
      { ...fresh, count: 1, source: { component: 'x' } },
      ['count: Invalid value: "": needs to be unset', 'source: Invalid value: "": needs to be unset'],
    ],
    ['odd type', { ...fresh, type: 'Odd' }, ['type: Invalid value: "": has invalid value: Odd']],
    [
      'series of one',
      { ...fresh, series: { count: 1, lastObservedTime: '2026-01-01T00:00:00Z' } },
      ['series.count: Invalid value: "": should be at least 2'],
    ],
  ])('validate through events.k8s.io: %s', (_name, event, errors) => {
    expect(newer?.validate?.(event).map(({ field, message }) => `${field}: ${message}`)).toEqual(errors);
  });

  it('print what happened last', () => {
    const now = Date.parse('2026-01-01T00:03:00Z');
    expect(events.columns?.map((column) => column.cell(core, now))).toEqual([
      '2m',
      'Normal',
      'Started',
      'pod/p',
      'spec.containers{main}',
      'kubelet, n1',
      'Started container',
      '3m',
      3,
      'e',
    ]);
  });
});
