import { expect, it } from 'vitest';
import type { Pod, Service } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { TriggerTimes, withTriggerTime } from './trigger-times.ts';

const meta = (name: string, creationTimestamp: string): Live<Service>['metadata'] => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp,
});
const service: Live<Service> = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('s', '2026-01-01T00:00:02Z'),
  spec: {},
};
const pod = (name: string, second?: number): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: meta(name, ''),
  spec: { containers: [] },
  status: {
    conditions:
      second === undefined
        ? []
        : [{ type: 'Ready', status: 'True', lastTransitionTime: `2026-01-01T00:00:0${second}Z` }],
  },
});

it('tells the oldest of the changes since the last time', () => {
  const times = new TriggerTimes();
  const steps = [
    [pod('a')],
    [pod('a', 3)],
    [pod('a', 3)],
    [pod('a', 6), pod('b', 5)],
    [pod('b', 5)],
    [pod('b', 7), pod('c')],
  ].map((pods) => times.next('k', service, pods)?.slice(-3));
  times.forget('k');
  expect([...steps, times.next('k', service, [pod('b', 7)])?.slice(-3)]).toEqual([
    '02Z',
    '03Z',
    undefined,
    '05Z',
    undefined,
    '07Z',
    '02Z',
  ]);
});

it('leaves other annotations alone', () => {
  const key = 'endpoints.kubernetes.io/last-change-trigger-time';
  expect([
    withTriggerTime(undefined, undefined),
    withTriggerTime({ [key]: 'old' }, undefined),
    withTriggerTime({ [key]: 'old', other: 'x' }, 'new'),
  ]).toEqual([{}, {}, { annotations: { [key]: 'new', other: 'x' } }]);
});
