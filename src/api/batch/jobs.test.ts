import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { countIndexes, firstOverlap, parseIndexRanges } from './index-ranges.ts';
import { generateSelector } from './job-selector.ts';
import { validateJobStatus } from './job-status-validation.ts';
import { validateJob, validateJobUpdate } from './job-validation.ts';
import { jobs } from './jobs.ts';
import type { Job, JobSpec, JobStatus } from './v1.gen.ts';

function job(spec: Partial<JobSpec> = {}): DeepMutable<Job> {
  const made: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'ns', uid: 'u' },
    spec: {
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x:1' }] } },
      ...spec,
    },
  };
  const copy = mutableCopy(made);
  jobs.versions['v1']?.defaults?.(copy);
  generateSelector(copy);
  return copy;
}

describe('a new job', () => {
  it('gets a selector and labels of its own', () => {
    const { spec } = job();
    expect(spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } });
    expect(spec.template.metadata?.labels).toEqual({
      'batch.kubernetes.io/controller-uid': 'u',
      'batch.kubernetes.io/job-name': 'j',
      'controller-uid': 'u',
      'job-name': 'j',
    });
    expect(spec).toMatchObject({
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      completions: 1,
      parallelism: 1,
      podReplacementPolicy: 'TerminatingOrFailed',
      suspend: false,
    });
  });

  it.each<[string, Partial<JobSpec>, string[]]>([
    ['is fine', {}, []],
    [
      'needs completions for indexes',
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'cannot always restart',
      { template: { spec: { restartPolicy: 'Always', containers: [{ name: 'c', image: 'x' }] } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'names indexes that it has',
      {
        completionMode: 'Indexed',
        completions: 5,
        successPolicy: { rules: [{ succeededIndexes: '0-5' }] },
      },
      [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"',
      ],
    ],
  ])('%s', (_name, spec, expected) => {
    const errors = validateJob(job(spec));
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(expected);
  });
});

describe('an update of a job', () => {
  it('keeps the template', () => {
    const old = job();
    const next = job({
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'y:2' }] } },
    });
    expect(validateJobUpdate(next, old).map(({ field }) => field)).toEqual(['spec.template']);
  });

  type Change = (next: DeepMutable<Job>) => void;
  const resources: Change = ({ spec }) => {
    spec.template.spec.containers = [{ name: 'c', image: 'x:1', resources: { limits: { cpu: '2' } } }];
  };
  const nodes: Change = ({ spec }) => {
    spec.template.spec.nodeSelector = { disk: 'ssd' };
    spec.template.spec.affinity = { nodeAffinity: {} };
    spec.template.metadata = { ...spec.template.metadata, annotations: { a: 'b' } };
  };
  const neighbours: Change = ({ spec }) => {
    spec.template.spec.affinity = { podAffinity: {} };
  };
  const suspended = { type: 'Suspended', status: 'True' } as const;
  const startTime = '2026-01-01T00:00:00Z';

  it.each<[string, JobStatus, Change, boolean]>([
    ['where its pods go, before it starts', {}, nodes, true],
    ['what they ask for, before it starts', {}, resources, true],
    ['what they go beside, never', {}, neighbours, false],
    ['nothing once it has started', { startTime }, resources, false],
    ['what they ask for once they are gone', { startTime, conditions: [suspended] }, resources, true],
    ['nothing while one runs', { startTime, conditions: [suspended], active: 1 }, nodes, false],
  ])('of a suspended job may change %s', (_name, status, change, isAllowed) => {
    const old: Job = { ...job({ suspend: true }), status };
    const next = mutableCopy<Job>(old);
    change(next);
    jobs.versions['v1']?.defaults?.(next);
    expect(validateJobUpdate(next, old).map(({ field }) => field)).toEqual(
      isAllowed ? [] : ['spec.template'],
    );
  });
});

const begun = '2026-01-01T00:00:00Z';
const done = '2026-01-01T01:00:00Z';
const is = (...types: string[]): Pick<JobStatus, 'conditions'> => ({
  conditions: types.map((type) => ({ type, status: 'True' })),
});
const succeeded: JobStatus = {
  startTime: begun,
  completionTime: done,
  ...is('SuccessCriteriaMet', 'Complete'),
};
const indexed: Partial<JobSpec> = { completionMode: 'Indexed', completions: 3 };

describe('the status of a job', () => {
  it.each<[string, Partial<JobSpec>, JobStatus, JobStatus, readonly string[]]>([
    ['may say that it has succeeded', {}, { startTime: begun }, succeeded, []],
    [
      'counts a pod once',
      {},
      {},
      { uncountedTerminatedPods: { succeeded: ['', 'a'], failed: ['a'] } },
      [
        'status.uncountedTerminatedPods.succeeded[0]: Invalid value: "": must not be empty',
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
      ],
    ],
    [
      'has nothing left once it ends',
      {},
      {},
      { ...succeeded, active: 1, terminating: 1, uncountedTerminatedPods: { failed: ['a'] } },
      [
        'status.active: Invalid value: 1: active>0 is invalid for finished job',
        'status.uncountedTerminatedPods: Invalid value: {"Succeeded":[],"Failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
        'status.terminating: Invalid value: 1: terminating>0 is invalid for finished job',
      ],
    ],
    [
      'does not end before it begins',
      {},
      {},
      { ...succeeded, startTime: '2026-01-02T00:00:00Z' },
      [`status.completionTime: Invalid value: "${done}": completionTime cannot be set before startTime`],
    ],
    [
      'takes nothing back',
      {},
      { ...succeeded, succeeded: 2, failed: 1 },
      { ...succeeded, ...is(), completionTime: begun, succeeded: 1 },
      [
        `status.completionTime: Invalid value: "${begun}": cannot set completionTime when there is no Complete=True condition`,
        'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
        'status.failed: Invalid value: 0: cannot decrease the failed counter',
        'status.succeeded: Invalid value: 1: cannot decrease the succeeded counter',
        `status.completionTime: Invalid value: "${begun}": completionTime cannot be mutated`,
        'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
      ],
    ],
    [
      'keeps the time of its start',
      {},
      { startTime: begun },
      { startTime: done },
      ['status.startTime: Required value: startTime cannot be removed for unsuspended job'],
    ],
    ['may count down when it is scaled', { ...indexed, parallelism: 3 }, { succeeded: 3 }, {}, []],
    [
      'names indexes where there are some',
      {},
      {},
      { completedIndexes: '0', failedIndexes: '' },
      [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
        'status.failedIndexes: Invalid value: "": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
      ],
    ],
    [
      'names each index once',
      { ...indexed, backoffLimitPerIndex: 1 },
      {},
      { completedIndexes: '0-1', failedIndexes: '1' },
      ['status.failedIndexes: Invalid value: "1": failedIndexes and completedIndexes overlap at index: 1'],
    ],
    [
      'may stay wrong where it was',
      indexed,
      { completedIndexes: '9' },
      { completedIndexes: '9', active: 1 },
      [],
    ],
  ])('%s', (_, ...[spec, before, after, expected]) => {
    const old: Job = { ...job({ completions: 1, parallelism: 1, ...spec }), status: before };
    const errors = validateJobStatus({ ...old, status: after }, old);
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(expected);
  });
});

describe('index ranges', () => {
  it('are read, counted and compared', () => {
    const ranges = parseIndexRanges('1,3-5,7', 10);
    expect(ranges).toEqual([
      [1, 1],
      [3, 5],
      [7, 7],
    ]);
    expect(countIndexes(ranges)).toBe(5);
    expect(firstOverlap(ranges, parseIndexRanges('4-6', 10))).toBe(4);
    expect(firstOverlap(ranges, parseIndexRanges('2,6', 10))).toBeUndefined();
  });

  it.each(['5-', 'x', '3,1', '4-2', '1-2-3'])('refuse %s', (text) => {
    expect(() => parseIndexRanges(text, 10)).toThrow(RangeError);
  });
});
