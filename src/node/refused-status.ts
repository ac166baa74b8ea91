import { timestamp } from '../base/clock.ts';
import type { Pod, PodStatus } from '../api/core/v1.gen.ts';
import type { Refusal } from './admission/refusal-of.ts';

/** The status of a pod that the node did not take; `at` is in milliseconds since the epoch. */
export function refusedStatus(pod: Pod, refusal: Refusal, at: number): PodStatus {
  return {
    phase: 'Failed',
    reason: refusal.reason,
    message: `Pod was rejected: ${refusal.message}`,
    startTime: pod.status?.startTime ?? timestamp(at),
    ...(pod.status?.qosClass !== undefined && { qosClass: pod.status.qosClass }),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  };
}
