import { describe, expect, it } from 'vitest';
import type { Job, JobSpec, JobStatus } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { formatIndexes, parseIndexes } from './index-set.ts';
import { planJob, type JobPlan } from './plan.ts';

const now = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString().replace('.000Z', 'Z');

function job(spec: Partial<JobSpec> = {}, status: JobStatus = { startTime: ago(60) }): Live<Job> {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: 'sum',
      namespace: 'default',
      uid: 'j',
      resourceVersion: '1',
      creationTimestamp: ago(60),
    },
    spec: {
      completions: 3,
      parallelism: 2,
      template: { spec: { containers: [], restartPolicy: 'Never' } },
      ...spec,
    },
    status,
  };
}

/** A job without a number of completions. */
function workQueue(status: JobStatus): Live<Job> {
  const { spec, ...rest } = job({}, status);
  const { completions: _, ...endless } = spec;
  return { ...rest, spec: endless };
}

interface PodFacts {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly counted?: boolean;
  readonly index?: number;
  readonly exitCode?: number;
  readonly finished?: number;
  readonly restarts?: number;
  readonly deleting?: boolean;
}

function pod(name: string, facts: PodFacts = {}): Live<Pod> {
  const { phase = 'Running', counted, index, exitCode, finished = 3600, restarts = 0, deleting } = facts;
  const terminated =
    exitCode === undefined ? undefined : { terminated: { exitCode, finishedAt: ago(finished) } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: ago(3600),
      ...(!counted && { finalizers: ['batch.kubernetes.io/job-tracking'] }),
      ...(index !== undefined && {
        annotations: { 'batch.kubernetes.io/job-completion-index': String(index) },
      }),
      ...(deleting && { deletionTimestamp: ago(1) }),
    },
    spec: { containers: [] },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'c',
          image: '',
          imageID: '',
          ready: false,
          restartCount: restarts,
          ...(terminated && { state: terminated }),
        },
      ],
    },
  };
}

/** The plan in a few words. */
function words(plan: JobPlan): string[] {
  const list = (verb: string, items: readonly string[]): string[] =>
    items.length > 0 ? [`${verb} ${items.join(' ')}`] : [];
  const conditions = (plan.status.conditions ?? []).filter(({ status }) => status === 'True');
  return [
    ...list(
      'create',
      plan.create.map((index) => (index === undefined ? 'pod' : String(index))),
    ),
    ...list(
      'delete',
      plan.remove.map(({ metadata }) => metadata.name),
    ),
    ...list(
      'release',
      plan.release.map(({ metadata }) => metadata.name),
    ),
    ...list('uncounted', [
      ...(plan.status.uncountedTerminatedPods?.succeeded ?? []),
      ...(plan.status.uncountedTerminatedPods?.failed ?? []),
    ]),
    ...list(
      'is',
      conditions.map(({ type, reason }) => `${type}(${reason})`),
    ),
  ];
}

const failed = (name: string, finished: number = 3600): Live<Pod> =>
  pod(name, { phase: 'Failed', exitCode: 1, finished });

describe('planJob', () => {
  it.each<[string, Live<Job>, Live<Pod>[], string[]]>([
    ['starts as many pods as may run at once', job(), [], ['create pod pod']],
    [
      'starts no more than are still to complete',
      job({}, { startTime: ago(9), succeeded: 2 }),
      [],
      ['create pod'],
    ],
    [
      'puts finished pods down before it lets them go',
      job(),
      [pod('a', { phase: 'Succeeded' })],
      ['create pod pod', 'uncounted a'],
    ],
    [
      'lets pods go that are put down',
      job({}, { startTime: ago(9), uncountedTerminatedPods: { succeeded: ['a'] } }),
      [pod('a', { phase: 'Succeeded' })],
      ['create pod pod', 'release a', 'uncounted a'],
    ],
    [
      'deletes pods beyond the parallelism',
      job({ parallelism: 1 }),
      [pod('a'), pod('b', { phase: 'Pending' })],
      ['delete b'],
    ],
    [
      'stops its pods when suspended',
      job({ suspend: true }),
      [pod('a')],
      ['delete a', 'is Suspended(JobSuspended)'],
    ],
    [
      'starts the indexes that are missing',
      job({ completionMode: 'Indexed' }, { startTime: ago(9), completedIndexes: '0' }),
      [pod('b', { index: 1 })],
      ['create 2'],
    ],
    [
      'deletes a second pod of one index',
      job({ completionMode: 'Indexed' }),
      [pod('a', { index: 0 }), pod('b', { index: 0 })],
      ['delete b'],
    ],
    ['waits before it replaces a failed pod', job(), [failed('a', 4)], ['uncounted a']],
    ['replaces a failed pod after the wait', job(), [failed('a', 11)], ['create pod pod', 'uncounted a']],
    [
      'gives up after too many failures, and stops what runs',
      job({ backoffLimit: 0 }),
      [failed('a'), pod('b')],
      ['delete b', 'uncounted a', 'is FailureTarget(BackoffLimitExceeded)'],
    ],
    [
      'counts restarts of containers when those are the retries',
      job({ backoffLimit: 2, template: { spec: { containers: [], restartPolicy: 'OnFailure' } } }),
      [pod('a', { restarts: 2 })],
      ['delete a', 'is FailureTarget(BackoffLimitExceeded)'],
    ],
    [
      'ends at its deadline',
      job({ activeDeadlineSeconds: 60 }),
      [],
      ['is FailureTarget(DeadlineExceeded) Failed(DeadlineExceeded)'],
    ],
    [
      'is complete only when every pod is counted',
      job({}, { startTime: ago(9), succeeded: 2 }),
      [pod('c', { phase: 'Succeeded' })],
      ['uncounted c', 'is SuccessCriteriaMet(CompletionsReached)'],
    ],
    [
      'is complete when they are',
      job({}, { startTime: ago(9), succeeded: 2, uncountedTerminatedPods: { succeeded: ['c'] } }),
      [pod('c', { phase: 'Succeeded', counted: true })],
      ['is SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
    [
      'fails at once when the policy says so',
      job({
        podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] },
      }),
      [pod('a', { phase: 'Failed', exitCode: 42 })],
      ['uncounted a', 'is FailureTarget(PodFailurePolicy)'],
    ],
    [
      'does not count what the policy ignores',
      job({
        backoffLimit: 0,
        podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [7] } }] },
      }),
      [pod('a', { phase: 'Failed', exitCode: 7 })],
      ['create pod pod', 'release a'],
    ],
    [
      'ends a work queue when one succeeded and none runs',
      workQueue({ startTime: ago(9), succeeded: 1 }),
      [],
      ['is SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(words(planJob({ job: subject, pods, now }))).toEqual(expected);
  });

  it('counts each pod once', () => {
    const status: JobStatus = {
      startTime: ago(9),
      succeeded: 1,
      failed: 1,
      uncountedTerminatedPods: { succeeded: ['a', 'b'], failed: ['gone'] },
    };
    const pods = [pod('a', { phase: 'Succeeded' }), pod('b', { phase: 'Succeeded', counted: true })];
    expect(planJob({ job: job({ completions: 9 }, status), pods, now }).status).toMatchObject({
      succeeded: 2,
      failed: 2,
      uncountedTerminatedPods: { succeeded: ['a'] },
    });
  });
});

describe('index sets', () => {
  it.each([
    ['1', [1]],
    ['1,2', [1, 2]],
    ['1-3,5,7-9', [1, 2, 3, 5, 7, 8, 9]],
    ['', []],
  ])('%j', (text, indexes) => {
    expect([[...parseIndexes(text)], formatIndexes(indexes)]).toEqual([indexes, text]);
  });
});
