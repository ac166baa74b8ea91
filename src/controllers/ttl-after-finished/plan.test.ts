import { expect, it } from 'vitest';
import type { Job, JobSpec, JobStatus } from '../../api/batch/v1.gen.ts';
import { msUntilExpiry } from './plan.ts';

const now = Date.UTC(2026, 2, 2, 10);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

function wait(
  spec: Partial<JobSpec>,
  conditions: JobStatus['conditions'],
  deleting?: 'deleting',
): number | undefined {
  const job: Job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', ...(deleting && { deletionTimestamp: ago(0) }) },
    spec: { template: { spec: { containers: [] } }, ...spec },
    status: { completionTime: ago(500), ...(conditions && { conditions }) },
  };
  return msUntilExpiry(job, now);
}

const ended = (type: string, seconds: number, status = 'True'): JobStatus['conditions'] => [
  { type: 'SuccessCriteriaMet', status: 'True', lastTransitionTime: ago(900) },
  { type, status, lastTransitionTime: ago(seconds) },
];

it.each<[string, number | undefined, number | undefined]>([
  ['a job that runs stays', wait({ ttlSecondsAfterFinished: 5 }, []), undefined],
  [
    'a job whose end is only decided stays',
    wait({ ttlSecondsAfterFinished: 5 }, ended('FailureTarget', 60)),
    undefined,
  ],
  ['a job without a time to live stays', wait({}, ended('Complete', 60)), undefined],
  [
    'a completed job has until its time is over',
    wait({ ttlSecondsAfterFinished: 100 }, ended('Complete', 60)),
    40_000,
  ],
  ['so has a failed one', wait({ ttlSecondsAfterFinished: 100 }, ended('Failed', 60)), 40_000],
  [
    'a condition that does not hold is none',
    wait({ ttlSecondsAfterFinished: 5 }, ended('Failed', 60, 'False')),
    undefined,
  ],
  ['zero is at once', wait({ ttlSecondsAfterFinished: 0 }, ended('Complete', 0)), 0],
  ['late is at once', wait({ ttlSecondsAfterFinished: 5 }, ended('Complete', 60)), 0],
  [
    'a job from the future waits for longer',
    wait({ ttlSecondsAfterFinished: 5 }, ended('Complete', -60)),
    65_000,
  ],
  [
    'a job that goes already is left alone',
    wait({ ttlSecondsAfterFinished: 5 }, ended('Complete', 60), 'deleting'),
    undefined,
  ],
])('%s', (_, actual, expected) => {
  expect(actual).toBe(expected);
});
