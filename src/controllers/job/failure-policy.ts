import type { Job, PodFailurePolicyRule } from '../../api/batch/v1.gen.ts';
import type { ContainerStatus, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';

/** What a pod failure policy says about a failed pod. */
export interface FailureVerdict {
  readonly action: PodFailurePolicyRule['action'];
  /** Upstream's sentence, for `FailJob`. */
  readonly message: string;
}

/** The verdict of the first rule that matches; undefined when none does. */
export function judgeFailure(job: Job, pod: Live<Pod>): FailureVerdict | undefined {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const subject = matchExitCode(rule, pod) ?? matchCondition(rule, pod);
    if (subject !== undefined) {
      return { action: rule.action, message: `${subject} matching ${rule.action} rule at index ${index}` };
    }
  }
  return undefined;
}

/** Whether a lost pod counts as a failure. */
export function countsAsFailure(job: Job, pod: Live<Pod>): boolean {
  return judgeFailure(job, pod)?.action !== 'Ignore';
}

function matchExitCode({ onExitCodes }: PodFailurePolicyRule, pod: Live<Pod>): string | undefined {
  if (!onExitCodes) return undefined;
  const { containerName, operator, values } = onExitCodes;
  const statuses: readonly ContainerStatus[] = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ];
  for (const { name, state } of statuses) {
    const exitCode = state?.terminated?.exitCode;
    if (!exitCode || (containerName !== undefined && containerName !== name)) continue;
    if (values.includes(exitCode) !== (operator === 'In')) continue;
    const { namespace, name: podName } = pod.metadata;
    return `Container ${name} for pod ${namespace}/${podName} failed with exit code ${exitCode}`;
  }
  return undefined;
}

function matchCondition({ onPodConditions }: PodFailurePolicyRule, pod: Live<Pod>): string | undefined {
  const matched = (onPodConditions ?? []).find((pattern) =>
    pod.status?.conditions?.some(({ type, status }) => type === pattern.type && status === pattern.status),
  );
  if (!matched) return undefined;
  const { namespace, name } = pod.metadata;
  return `Pod ${namespace}/${name} has condition ${matched.type}`;
}
