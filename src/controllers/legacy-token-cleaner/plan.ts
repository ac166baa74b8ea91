import type { Pod, Secret, ServiceAccount } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { accountNameOf } from '../service-account-token/plan.ts';

export const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';

/** kube-controller-manager's `--legacy-service-account-token-clean-up-period`. */
export const cleanUpPeriodMs: number = 365 * 86_400_000;

export interface TokenObservation {
  readonly secret: Live<Secret>;
  readonly account: Live<ServiceAccount> | undefined;
  /** The pods of the secret's namespace. */
  readonly pods: readonly Live<Pod>[];
  /** Since when the server has noted the use of tokens, as a date. */
  readonly trackedSince: string;
  readonly now: number;
}

/**
 * What becomes of a token secret that was made for an account and that nobody has used for the clean-up period: it is
 * first marked as invalid, and deleted after another period. Secrets that people made themselves stay.
 */
export function planToken(observation: TokenObservation): 'keep' | 'invalidate' | 'delete' {
  const { secret, account, pods, trackedSince, now } = observation;
  const { name, labels = {}, creationTimestamp, deletionTimestamp } = secret.metadata;
  const limit = now - cleanUpPeriodMs;
  const isRecent = (time: string | undefined): boolean => time !== undefined && !(Date.parse(time) <= limit);
  if (accountNameOf(secret) === undefined || deletionTimestamp !== undefined) return 'keep';
  if (isRecent(trackedSince) || isRecent(creationTimestamp) || isRecent(labels[lastUsedLabel])) return 'keep';
  if (!account?.secrets?.some((reference) => reference.name === name)) return 'keep';
  if (pods.some((pod) => mounts(pod, name))) return 'keep';
  const since = Date.parse(labels[invalidSinceLabel] ?? '');
  if (Number.isNaN(since)) return 'invalidate';
  return since > limit ? 'keep' : 'delete';
}

function mounts({ spec }: Pod, secretName: string): boolean {
  return (spec.volumes ?? []).some(
    ({ secret, projected }) =>
      secret?.secretName === secretName ||
      projected?.sources?.some((source) => source.secret?.name === secretName) === true,
  );
}
