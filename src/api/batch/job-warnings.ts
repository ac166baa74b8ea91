import { podSpecWarnings } from '../core/pod-spec/pod-warnings.ts';
import type { JobSpec } from './v1.gen.ts';

const manyCompletions = 100_000;
const manyPods = 10_000;

/** Upstream's warnings about the spec of a job, stand-alone or in a cron job's template. */
export function jobSpecWarnings(spec: JobSpec, field: string): string[] {
  const { completionMode, completions = 0, parallelism = 0, template } = spec;
  const large = completionMode === 'Indexed' && completions > manyCompletions && parallelism > manyPods;
  return [
    ...(large
      ? [
          `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
        ]
      : []),
    ...podSpecWarnings(template.spec, `${field}.template.spec`),
  ];
}
