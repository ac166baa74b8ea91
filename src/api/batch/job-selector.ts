import type { DeepMutable } from '../../machinery/object.ts';
import type { Job } from './v1.gen.ts';

const uidLabel = 'batch.kubernetes.io/controller-uid';

/** The labels that the pods of a job carry unless its selector is manual; old and new names. */
export function generatedLabels(job: Pick<Job, 'metadata'>): Record<string, string> {
  const { uid = '', name = '' } = job.metadata;
  return {
    'controller-uid': uid,
    'job-name': name,
    [uidLabel]: uid,
    'batch.kubernetes.io/job-name': name,
  };
}

/** By key, as Go prints maps in messages. */
function ascending(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Gives the job a selector of its own and its template the labels for it; what a client set stays, for validation to judge. */
export function generateSelector(job: DeepMutable<Job>): void {
  const { spec } = job;
  const metadata = (spec.template.metadata ??= {});
  metadata.labels = ascending({ ...generatedLabels(job), ...metadata.labels });
  const selector = (spec.selector ??= {});
  selector.matchLabels = ascending({ [uidLabel]: job.metadata.uid ?? '', ...selector.matchLabels });
}
