import { describe, expect, it } from 'vitest';
import type { Job, JobSpec, JobStatus } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { mulberry32 } from '../../reconcile/faulty-transport.ts';
import { IndexSet } from './index-set.ts';
import { jobPod } from './job-pod.ts';
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
  readonly failures?: number;
  readonly ignored?: number;
  readonly disrupted?: true;
  readonly ready?: true;
}

function pod(name: string, facts: PodFacts = {}): Live<Pod> {
  const { phase = 'Running', counted, index, exitCode, finished = 3600, restarts = 0, deleting } = facts;
  const { failures, ignored, disrupted, ready } = facts;
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
        annotations: {
          'batch.kubernetes.io/job-completion-index': String(index),
          ...(failures !== undefined && { 'batch.kubernetes.io/job-index-failure-count': String(failures) }),
          ...(ignored !== undefined && {
            'batch.kubernetes.io/job-index-ignored-failure-count': String(ignored),
          }),
        },
      }),
      ...(deleting && { deletionTimestamp: ago(1) }),
    },
    spec: { containers: [] },
    status: {
      phase,
      ...((disrupted || ready) && {
        conditions: [{ type: disrupted ? 'DisruptionTarget' : 'Ready', status: 'True' }],
      }),
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
function words({ create, remove, discard, release, status }: JobPlan): string[] {
  const list = (verb: string, items: readonly string[]): string[] =>
    items.length > 0 ? [`${verb} ${items.join(' ')}`] : [];
  const names = (pods: readonly Live<Pod>[]): string[] => pods.map(({ metadata }) => metadata.name);
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const conditions = (status.conditions ?? []).filter((condition) => condition.status === 'True');
  return [
    ...list(
      'create',
      create.map(({ index }) => (index === undefined ? 'pod' : String(index))),
    ),
    ...list('delete', names(remove)),
    ...list('discard', names(discard)),
    ...list('release', names(release)),
    ...list('succeeded', succeeded),
    ...list('failed', failed),
    ...list(
      'is',
      conditions.map(({ type, reason }) => `${type}(${reason})`),
    ),
  ];
}

type Row = [string, Live<Job>, Live<Pod>[], string[]];

function planned(subject: Live<Job>, pods: Live<Pod>[]): string[] {
  return words(planJob({ job: subject, pods, now }));
}

const failed = (name: string, finished: number = 3600): Live<Pod> =>
  pod(name, { phase: 'Failed', exitCode: 1, finished });
const succeeded = (name: string, finished: number = 3600): Live<Pod> =>
  pod(name, { phase: 'Succeeded', exitCode: 0, finished });
const verdict = (
  type: 'FailureTarget' | 'SuccessCriteriaMet',
  reason: string,
): NonNullable<JobStatus['conditions']> => [{ type, status: 'True', reason, message: 'why' }];
const onFailure: JobSpec['template'] = { spec: { containers: [], restartPolicy: 'OnFailure' } };

describe('a job', () => {
  it.each<Row>([
    ['starts as many pods as may run at once', job(), [], ['create pod pod']],
    [
      'starts no more than are still to complete',
      job({}, { startTime: ago(9), succeeded: 2 }),
      [],
      ['create pod'],
    ],
    ['starts no pods without parallelism', job({ parallelism: 0 }), [], []],
    [
      'deletes pods beyond the parallelism, the least advanced first',
      job({ parallelism: 1 }),
      [pod('a'), pod('b', { phase: 'Pending' })],
      ['discard b'],
    ],
    [
      'deletes or creates, never both',
      job({ completionMode: 'Indexed', completions: 9, parallelism: 5 }),
      [pod('a', { index: 0 }), pod('b', { index: 0 })],
      ['discard a'],
    ],
    [
      'being deleted starts and counts nothing more',
      deleting(job()),
      [pod('a'), succeeded('b')],
      ['release a b', 'succeeded b'],
    ],
    [
      'that has finished lets go of its pods',
      job({}, { conditions: [{ type: 'Failed', status: 'True', reason: 'R' }] }),
      [pod('a'), pod('b', { counted: true })],
      ['delete a', 'release a', 'is Failed(R)'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });
});

function deleting(subject: Live<Job>): Live<Job> {
  return { ...subject, metadata: { ...subject.metadata, deletionTimestamp: ago(1) } };
}

describe('counting pods', () => {
  it.each<Row>([
    [
      'puts finished pods down, then lets them go',
      job(),
      [succeeded('a')],
      ['create pod pod', 'release a', 'succeeded a'],
    ],
    [
      'lets pods go that are put down',
      job({}, { startTime: ago(9), uncountedTerminatedPods: { succeeded: ['a'] } }),
      [succeeded('a')],
      ['create pod pod', 'release a', 'succeeded a'],
    ],
    [
      'counts what it let go',
      job({}, { startTime: ago(9), uncountedTerminatedPods: { succeeded: ['a'] } }),
      [pod('a', { phase: 'Succeeded', counted: true })],
      ['create pod pod'],
    ],
    ['a pod that is going is lost', job(), [pod('a', { deleting: true })], ['release a', 'failed a']],
    [
      'unless the job waits for it',
      job({ podReplacementPolicy: 'Failed' }),
      [pod('a', { deleting: true })],
      ['create pod'],
    ],
    [
      'a pod that succeeded while going has succeeded',
      job({ podReplacementPolicy: 'Failed' }),
      [pod('a', { phase: 'Succeeded', deleting: true, exitCode: 0 })],
      ['create pod pod', 'release a', 'succeeded a'],
    ],
    [
      'what failed once stays a failure',
      job({}, { startTime: ago(9), uncountedTerminatedPods: { failed: ['a'] } }),
      [pod('a', { phase: 'Succeeded', deleting: true })],
      ['create pod pod', 'release a', 'failed a'],
    ],
    [
      'an index that is done needs no uid',
      job({ completionMode: 'Indexed' }),
      [pod('a', { phase: 'Succeeded', index: 1 })],
      ['create 0 2', 'release a'],
    ],
    [
      'pods of no index of the job are not counted',
      job({ completionMode: 'Indexed' }),
      [pod('a', { phase: 'Failed', index: 7, finished: 1 }), pod('b', { phase: 'Succeeded' })],
      ['create 0 1', 'release b a'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });

  it('counts each pod once', () => {
    const status: JobStatus = {
      startTime: ago(9),
      succeeded: 1,
      failed: 1,
      uncountedTerminatedPods: { succeeded: ['a', 'b'], failed: ['gone'] },
    };
    const pods = [succeeded('a'), pod('b', { phase: 'Succeeded', counted: true })];
    expect(planJob({ job: job({ completions: 9 }, status), pods, now }).status).toMatchObject({
      succeeded: 2,
      failed: 2,
      uncountedTerminatedPods: { succeeded: ['a'] },
    });
  });

  it('puts down no more than five hundred at a time', () => {
    const pods = Array.from({ length: 600 }, (_, index) => succeeded(`p${index}`));
    const { status, release } = planJob({ job: job({ completions: 600, parallelism: 600 }), pods, now });
    expect([
      status.uncountedTerminatedPods?.succeeded?.length,
      release.length,
      status.conditions?.[0]?.type,
    ]).toEqual([500, 500, 'SuccessCriteriaMet']);
  });

  it('says how many run, are ready and are going', () => {
    const pods = [pod('a', { ready: true }), pod('b'), pod('c', { deleting: true })];
    const { status } = planJob({ job: job({ parallelism: 3, podReplacementPolicy: 'Failed' }), pods, now });
    expect([status.active, status.ready, status.terminating]).toEqual([2, 1, 1]);
  });

  it('pods about to be stopped are going already', () => {
    const pods = [pod('a', { ready: true }), pod('b')];
    const { status } = planJob({ job: job({ suspend: true }), pods, now });
    expect([status.active, status.ready, status.terminating]).toEqual([undefined, 0, 2]);
  });
});

describe('failures', () => {
  it.each<Row>([
    ['wait before they are replaced', job(), [failed('a', 4)], ['release a', 'failed a']],
    ['are replaced after the wait', job(), [failed('a', 11)], ['create pod pod', 'release a', 'failed a']],
    [
      'wait twice as long after each',
      job(),
      [failed('a', 90), failed('b', 15)],
      ['release a b', 'failed a b'],
    ],
    [
      'before a success do not count for the wait',
      job(),
      [failed('a', 9), succeeded('b', 8)],
      ['create pod pod', 'release a b', 'succeeded b', 'failed a'],
    ],
    [
      'after a success do',
      job(),
      [succeeded('b', 9), failed('a', 8)],
      ['release b a', 'succeeded b', 'failed a'],
    ],
    [
      'beyond the limit end the job, and stop what runs',
      job({ backoffLimit: 0 }),
      [failed('a'), pod('b')],
      ['delete b', 'release a b', 'failed a b', 'is FailureTarget(BackoffLimitExceeded)'],
    ],
    [
      'at the limit do not',
      job({ backoffLimit: 1 }),
      [failed('a')],
      ['create pod pod', 'release a', 'failed a'],
    ],
    [
      'counted before count',
      job({ backoffLimit: 1 }, { startTime: ago(9), failed: 1 }),
      [failed('a')],
      ['release a', 'failed a', 'is FailureTarget(BackoffLimitExceeded)'],
    ],
    [
      'are restarts when containers restart',
      job({ backoffLimit: 2, template: onFailure }),
      [pod('a', { restarts: 2 })],
      ['delete a', 'release a', 'failed a', 'is FailureTarget(BackoffLimitExceeded)'],
    ],
    [
      'of containers below the limit go on',
      job({ backoffLimit: 2, parallelism: 1, template: onFailure }),
      [pod('a', { restarts: 1 })],
      [],
    ],
    [
      'of containers without any allowed',
      job({ backoffLimit: 0, template: onFailure }),
      [pod('a', { restarts: 1 })],
      ['delete a', 'release a', 'failed a', 'is FailureTarget(BackoffLimitExceeded)'],
    ],
    [
      'by the deadline',
      job({ activeDeadlineSeconds: 60 }),
      [],
      ['is FailureTarget(DeadlineExceeded) Failed(DeadlineExceeded)'],
    ],
    [
      'by the deadline not while suspended',
      job({ activeDeadlineSeconds: 60, suspend: true }),
      [],
      ['is Suspended(JobSuspended)'],
    ],
    [
      'wait for pods to go',
      job({}, { startTime: ago(9), conditions: verdict('FailureTarget', 'R') }),
      [pod('a', { deleting: true, counted: true })],
      ['is FailureTarget(R)'],
    ],
    [
      'wait for pods to be counted',
      job(
        {},
        {
          startTime: ago(9),
          conditions: verdict('FailureTarget', 'R'),
          uncountedTerminatedPods: { failed: ['a'] },
        },
      ),
      [failed('a')],
      ['release a', 'failed a', 'is FailureTarget(R)'],
    ],
    [
      'are final when all is counted',
      job(
        {},
        {
          startTime: ago(9),
          conditions: verdict('FailureTarget', 'R'),
          uncountedTerminatedPods: { failed: ['a'] },
        },
      ),
      [],
      ['is FailureTarget(R) Failed(R)'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });

  it('time alone starts the next pod, or ends the job', () => {
    const recheckMs = (spec: Partial<JobSpec>, pods: Live<Pod>[]): number | undefined =>
      planJob({ job: job(spec), pods, now }).recheckMs;
    expect([
      recheckMs({}, [failed('a', 4)]),
      recheckMs({ activeDeadlineSeconds: 63 }, [failed('a', 4)]),
      recheckMs({ activeDeadlineSeconds: 60 }, []),
      recheckMs({}, []),
    ]).toEqual([6000, 3000, undefined, undefined]);
  });

  it('are told in an event once they are final', () => {
    const ended = job({}, { startTime: ago(9), conditions: verdict('FailureTarget', 'R') });
    expect([
      planJob({ job: job({ backoffLimit: 0 }), pods: [failed('a')], now }).events,
      planJob({ job: ended, pods: [], now }).events,
    ]).toEqual([[], [{ type: 'Warning', reason: 'R', message: 'why' }]]);
  });
});

describe('completion', () => {
  const indexed = (spec: Partial<JobSpec>, completedIndexes: string): Live<Job> =>
    job({ completionMode: 'Indexed', ...spec }, { startTime: ago(9), completedIndexes });
  it.each<Row>([
    [
      'waits until every pod is counted',
      job({}, { startTime: ago(9), succeeded: 2 }),
      [succeeded('c')],
      ['release c', 'succeeded c', 'is SuccessCriteriaMet(CompletionsReached)'],
    ],
    [
      'comes when they are',
      job({}, { startTime: ago(9), succeeded: 2, uncountedTerminatedPods: { succeeded: ['c'] } }),
      [pod('c', { phase: 'Succeeded', counted: true })],
      ['is SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
    [
      'stops pods that are not needed',
      job({}, { startTime: ago(9), succeeded: 3 }),
      [pod('x')],
      ['discard x', 'is SuccessCriteriaMet(CompletionsReached)'],
    ],
    [
      'waits for pods that are going',
      job({}, { startTime: ago(9), succeeded: 3 }),
      [pod('x', { deleting: true, counted: true })],
      ['is SuccessCriteriaMet(CompletionsReached)'],
    ],
    [
      'of a work queue: one succeeded and none runs',
      workQueue({ startTime: ago(9), succeeded: 1 }),
      [],
      ['is SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
    ['of a work queue waits for the others', workQueue({ startTime: ago(9), succeeded: 1 }), [pod('a')], []],
    [
      'of nothing at all',
      job({ completions: 0 }),
      [],
      ['is SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
    [
      'of all indexes',
      indexed({}, '0-2'),
      [],
      ['is SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
    [
      'of fewer indexes than before',
      indexed({ completions: 2, parallelism: 2 }, '0,1'),
      [pod('c', { index: 2 })],
      ['discard c', 'is SuccessCriteriaMet(CompletionsReached)'],
    ],
    [
      'a verdict stands though the facts have changed',
      job(
        { completions: 9 },
        { startTime: ago(9), succeeded: 3, conditions: verdict('SuccessCriteriaMet', 'R') },
      ),
      [],
      ['is SuccessCriteriaMet(R) Complete(R)'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });

  it('is told in an event, also when there was too much of it', () => {
    const reasons = (count: number): string[] =>
      planJob({ job: job({}, { startTime: ago(9), succeeded: count }), pods: [], now }).events.map(
        ({ reason }) => reason,
      );
    expect([reasons(3), reasons(4)]).toEqual([['Completed'], ['TooManySucceededPods', 'Completed']]);
  });

  it('has a time only in the end', () => {
    const time = (pods: Live<Pod>[]): unknown =>
      planJob({ job: job({}, { startTime: ago(9), succeeded: 3 }), pods, now }).status.completionTime;
    expect([time([pod('x')]), time([])]).toEqual([undefined, ago(0)]);
  });
});

describe('suspending', () => {
  const suspended: JobStatus = {
    conditions: [{ type: 'Suspended', status: 'True', reason: 'JobSuspended' }],
  };
  it.each<Row>([
    [
      'stops pods without counting them',
      job({ suspend: true }),
      [pod('a')],
      ['discard a', 'is Suspended(JobSuspended)'],
    ],
    [
      'counts what had finished',
      job({ suspend: true }),
      [succeeded('a')],
      ['release a', 'succeeded a', 'is Suspended(JobSuspended)'],
    ],
    ['starts nothing', job({ suspend: true }, suspended), [], ['is Suspended(JobSuspended)']],
    ['ends with resuming', job({}, suspended), [], ['create pod pod']],
    [
      'a job that is complete completes',
      job({ suspend: true }, { succeeded: 3, ...suspended }),
      [],
      ['is Suspended(JobSuspended) SuccessCriteriaMet(CompletionsReached) Complete(CompletionsReached)'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });

  it('takes the start time, resuming gives a new one', () => {
    const start = (subject: Live<Job>): unknown => planJob({ job: subject, pods: [], now }).status.startTime;
    expect([start(job({ suspend: true })), start(job({}, suspended)), start(job())]).toEqual([
      undefined,
      ago(0),
      ago(60),
    ]);
  });

  it.each<[string, Live<Job>, string[]]>([
    ['is told', job({ suspend: true }), ['Suspended']],
    ['is told once', job({ suspend: true }, suspended), []],
    ['so is resuming', job({}, suspended), ['Resumed']],
    ['of a job being deleted is of no interest', deleting(job({ suspend: true })), []],
  ])('%s', (_, subject, reasons) => {
    expect(planJob({ job: subject, pods: [], now }).events.map(({ reason }) => reason)).toEqual(reasons);
  });
});

describe('an indexed job', () => {
  const indexed = (spec: Partial<JobSpec> = {}, status: JobStatus = {}): Live<Job> =>
    job({ completionMode: 'Indexed', ...spec }, { startTime: ago(9), ...status });
  it.each<Row>([
    [
      'starts the indexes that are missing',
      indexed({}, { completedIndexes: '0' }),
      [pod('b', { index: 1 })],
      ['create 2'],
    ],
    [
      'has one pod an index, the most advanced',
      indexed(),
      [pod('a', { index: 0 }), pod('b', { index: 0, phase: 'Pending' })],
      ['discard b'],
    ],
    ['has no pods without one', indexed(), [pod('a', { index: 0 }), pod('b')], ['discard b']],
    [
      'has none beyond its completions',
      indexed(),
      [pod('a', { index: 0 }), pod('b', { index: 3 })],
      ['discard b'],
    ],
    ['grows', indexed({ completions: 5, parallelism: 5 }, { completedIndexes: '0-2' }), [], ['create 3 4']],
    [
      'waits for pods that are going, when it replaces failed ones only',
      indexed({ podReplacementPolicy: 'Failed', parallelism: 3 }),
      [pod('a', { index: 0, deleting: true })],
      ['create 1 2'],
    ],
    [
      'replaces pods that are going',
      indexed({ parallelism: 3 }),
      [pod('a', { index: 0, deleting: true, counted: true, finished: 60, exitCode: 1 })],
      ['create 0 1 2'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });

  it('shrinks to the indexes that it still has', () => {
    const { status } = planJob({
      job: indexed({ completions: 2 }, { completedIndexes: '0,2-5' }),
      pods: [],
      now,
    });
    expect([status.completedIndexes, status.succeeded]).toEqual(['0', 1]);
  });
});

describe('a limit for each index', () => {
  const limited = (limit: number, spec: Partial<JobSpec> = {}, status: JobStatus = {}): Live<Job> =>
    job(
      {
        completionMode: 'Indexed',
        parallelism: 3,
        backoffLimit: 2 ** 31 - 1,
        backoffLimitPerIndex: limit,
        ...spec,
      },
      { startTime: ago(9), ...status },
    );
  const lost = (name: string, index: number, facts: PodFacts = {}): Live<Pod> =>
    pod(name, { phase: 'Failed', exitCode: 1, index, ...facts });
  const others = [pod('b', { index: 1 }), pod('c', { index: 2 })];
  it.each<Row>([
    ['keeps a lost pod until its successor runs', limited(2), [lost('a', 0, { finished: 4 }), ...others], []],
    ['starts the successor after the wait', limited(2), [lost('a', 0), ...others], ['create 0']],
    [
      'lets it go when the successor runs',
      limited(2),
      [lost('a', 0), pod('a2', { index: 0, failures: 1 }), ...others],
      ['release a', 'failed a'],
    ],
    [
      'waits longer for an index that failed more often',
      limited(9),
      [lost('a', 0, { failures: 2, finished: 30 }), ...others],
      [],
    ],
    [
      'gives an index up at its limit',
      limited(1),
      [lost('a', 0, { failures: 1 }), ...others],
      ['release a', 'failed a'],
    ],
    ['does not start an index that is given up', limited(0, {}, { failedIndexes: '0' }), others, []],
    [
      'ends the job when all indexes are done or given up',
      limited(0, {}, { completedIndexes: '1,2' }),
      [lost('a', 0)],
      ['release a', 'failed a', 'is FailureTarget(FailedIndexes)'],
    ],
    [
      'ends the job when too many are given up',
      limited(0, { maxFailedIndexes: 1 }),
      [lost('a', 0), lost('b', 1), pod('c', { index: 2 })],
      ['delete c', 'release a b c', 'failed a b c', 'is FailureTarget(MaxFailedIndexesExceeded)'],
    ],
    [
      'goes on with as many as may be given up',
      limited(0, { maxFailedIndexes: 1 }),
      [lost('a', 0), ...others],
      ['release a', 'failed a'],
    ],
    [
      'is given up at once when the policy says so',
      limited(5, {
        podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] } }] },
      }),
      [lost('a', 0, { exitCode: 42 }), ...others],
      ['release a', 'failed a'],
    ],
    [
      'of several lost pods the last is kept',
      limited(5),
      [lost('a', 0, { failures: 0, finished: 90 }), lost('a2', 0, { failures: 1, finished: 5 }), ...others],
      ['release a', 'failed a'],
    ],
  ])('%s', (_, subject, pods, expected) => {
    expect(planned(subject, pods)).toEqual(expected);
  });

  it('says which are given up, also when none is', () => {
    const failedIndexes = (pods: Live<Pod>[], limit = 0): unknown =>
      planJob({ job: limited(limit), pods, now }).status.failedIndexes;
    expect([
      failedIndexes(others),
      failedIndexes([lost('a', 0), lost('b', 2)]),
      failedIndexes([lost('a', 0)], 1),
    ]).toEqual(['', '0,2', '']);
  });

  it.each<[string, Live<Pod> | undefined, Record<string, string>]>([
    ['the first pod', undefined, { 'batch.kubernetes.io/job-index-failure-count': '0' }],
    ['the second', lost('a', 0, { failures: 0 }), { 'batch.kubernetes.io/job-index-failure-count': '1' }],
    [
      'the one after a failure that is ignored',
      lost('a', 0, { failures: 1, ignored: 1, disrupted: true }),
      {
        'batch.kubernetes.io/job-index-failure-count': '1',
        'batch.kubernetes.io/job-index-ignored-failure-count': '2',
      },
    ],
  ])('%s knows how often its index has failed', (_, follows, annotations) => {
    const podFailurePolicy: JobSpec['podFailurePolicy'] = {
      rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
    };
    const made = jobPod(limited(5, { podFailurePolicy }), { index: 0, ...(follows && { follows }) });
    expect(made.metadata.annotations).toEqual({
      'batch.kubernetes.io/job-completion-index': '0',
      ...annotations,
    });
  });
});

describe('a pod failure policy', () => {
  type Rule = NonNullable<JobSpec['podFailurePolicy']>['rules'][number];
  const policy = (...rules: Rule[]): Live<Job> =>
    job({ backoffLimit: 0, podFailurePolicy: { rules }, podReplacementPolicy: 'Failed' });
  const exit = (
    action: Rule['action'],
    operator: 'In' | 'NotIn',
    values: number[],
    containerName?: string,
  ): Rule => ({
    action,
    onExitCodes: { operator, values, ...(containerName && { containerName }) },
  });
  const disrupted: Rule = {
    action: 'Ignore',
    onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }],
  };
  const broken = pod('a', { phase: 'Failed', exitCode: 42 });
  const over = ['release a', 'failed a', 'is FailureTarget(BackoffLimitExceeded)'];
  const fatal = ['release a', 'failed a', 'is FailureTarget(PodFailurePolicy)'];
  const ignored = ['create pod pod', 'release a'];
  it.each<[string, Live<Job>, Live<Pod>, string[]]>([
    ['ends the job', policy(exit('FailJob', 'In', [42])), broken, fatal],
    ['for all codes but some', policy(exit('FailJob', 'NotIn', [1])), broken, fatal],
    ['for a container', policy(exit('FailJob', 'In', [42], 'c')), broken, fatal],
    ['not for another', policy(exit('FailJob', 'In', [42], 'x')), broken, over],
    ['ignores', policy(exit('Ignore', 'In', [42])), broken, ignored],
    ['counts as usual', policy(exit('Count', 'In', [42])), broken, over],
    [
      'the first rule that fits decides',
      policy(exit('Count', 'In', [42]), exit('FailJob', 'In', [42])),
      broken,
      over,
    ],
    [
      'ignores disruptions',
      policy(disrupted),
      pod('a', { phase: 'Failed', exitCode: 137, disrupted: true }),
      ignored,
    ],
    [
      'success is no failure',
      policy(exit('FailJob', 'NotIn', [1])),
      pod('a', { phase: 'Failed', exitCode: 0 }),
      over,
    ],
  ])('%s', (_, subject, lost, expected) => {
    expect(planned(subject, [lost])).toEqual(expected);
  });

  it.each<[string, Rule, string]>([
    [
      'the code',
      exit('FailJob', 'In', [42]),
      'Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0',
    ],
    [
      'the condition',
      { ...disrupted, action: 'FailJob' },
      'Pod default/a has condition DisruptionTarget matching FailJob rule at index 0',
    ],
  ])('says %s that ended the job', (_, rule, message) => {
    const pods = [pod('a', { phase: 'Failed', exitCode: 42, disrupted: true })];
    expect(planJob({ job: policy(rule), pods, now }).status.conditions).toMatchObject([{ message }]);
  });
});

describe('a success policy', () => {
  type Rule = NonNullable<JobSpec['successPolicy']>['rules'][number];
  const policy = (completedIndexes: string, ...rules: Rule[]): string | undefined => {
    const spec: Partial<JobSpec> = {
      completionMode: 'Indexed',
      completions: 9,
      parallelism: 9,
      successPolicy: { rules },
    };
    const { status } = planJob({ job: job(spec, { startTime: ago(9), completedIndexes }), pods: [], now });
    const [condition] = status.conditions ?? [];
    return condition && `${condition.type} ${condition.reason}: ${condition.message}`;
  };
  const met = (index: number): string => `SuccessCriteriaMet SuccessPolicy: Matched rules at index ${index}`;
  it.each<[string, string | undefined, string | undefined]>([
    ['some indexes', policy('1,3', { succeededIndexes: '1,3' }), met(0)],
    ['not all of them', policy('1', { succeededIndexes: '1,3' }), undefined],
    ['so many', policy('0-2', { succeededCount: 3 }), met(0)],
    ['not so many', policy('0-1', { succeededCount: 3 }), undefined],
    ['so many of some', policy('2,4,8', { succeededIndexes: '0-5', succeededCount: 2 }), met(0)],
    ['not so many of some', policy('4,7,8', { succeededIndexes: '0-5', succeededCount: 2 }), undefined],
    ['any rule', policy('1', { succeededIndexes: '3' }, { succeededCount: 1 }), met(1)],
    ['nothing has succeeded', policy('', { succeededIndexes: '' }), undefined],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('stops the other pods without counting them', () => {
    const spec: Partial<JobSpec> = {
      completionMode: 'Indexed',
      successPolicy: { rules: [{ succeededIndexes: '1' }] },
    };
    const pods = [pod('a', { index: 0 }), pod('b', { index: 1, phase: 'Succeeded' })];
    expect(planned(job(spec), pods)).toEqual([
      'delete a',
      'release a b',
      'is SuccessCriteriaMet(SuccessPolicy)',
    ]);
  });
});

describe('pods', () => {
  it('are tracked, and know their index', () => {
    const { metadata, spec } = jobPod(
      job({ completionMode: 'Indexed', template: { spec: { containers: [{ name: 'c' }] } } }),
      { index: 7 },
    );
    expect([
      metadata.generateName,
      metadata.finalizers,
      metadata.labels,
      spec.hostname,
      spec.containers[0]?.env?.[0]?.name,
    ]).toEqual([
      'sum-7-',
      ['batch.kubernetes.io/job-tracking'],
      { 'batch.kubernetes.io/job-completion-index': '7' },
      'sum-7',
      'JOB_COMPLETION_INDEX',
    ]);
  });

  it('of a long name keep their index in theirs', () => {
    const long = job();
    const named = { ...long, metadata: { ...long.metadata, name: 'x'.repeat(63) } };
    expect(jobPod(named, { index: 12 }).metadata.generateName).toBe(`${'x'.repeat(54)}-12-`);
  });
});

describe('index sets', () => {
  it.each([
    ['1', [1]],
    ['1,2', [1, 2]],
    ['1-3,5,7-9', [1, 2, 3, 5, 7, 8, 9]],
    ['', []],
  ])('%j', (text, indexes) => {
    expect([[...IndexSet.parse(text)], IndexSet.of(indexes).toString()]).toEqual([indexes, text]);
  });

  it('leave out what is beyond a limit, and what is no number', () => {
    expect([...IndexSet.parse('1-9,x,12,3-', 4)]).toEqual([1, 2, 3]);
  });

  it.each<[string, number[], string]>([
    ['1-3,7', [], '1-3,7'],
    ['1-3,7', [2, 7], '1-3,7'],
    ['1-3,7', [5, 4, 6, 0], '0-7'],
    ['', [9, 8], '8,9'],
  ])('%j with %j is %j', (text, more, expected) => {
    expect(IndexSet.parse(text).with(more).toString()).toBe(expected);
  });

  it('agree with sets of numbers', () => {
    const random = mulberry32(7);
    for (let round = 0; round < 200; round++) {
      const some = (): number[] => Array.from({ length: 12 }, () => Math.floor(random() * 30));
      const [a, b] = [some(), some()];
      const [left, right] = [IndexSet.of(a), IndexSet.of(b)];
      const absent = Array.from({ length: 40 }, (_, at) => at).filter((at) => at >= 5 && !a.includes(at));
      expect([left.size, left.countIn(right), left.nextAbsent(5), left.has(3)]).toEqual([
        new Set(a).size,
        [...new Set(a)].filter((index) => b.includes(index)).length,
        absent[0],
        a.includes(3),
      ]);
    }
  });
});
