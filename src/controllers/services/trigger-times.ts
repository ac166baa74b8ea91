import type { Pod, Service } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

/** Carries, on objects that hold endpoints, when the change happened that they show. */
export const triggerTimeAnnotation: string = 'endpoints.kubernetes.io/last-change-trigger-time';

interface Seen {
  readonly service: string;
  readonly pods: ReadonlyMap<string, string | undefined>;
}

/** Finds, each time a service's endpoints are computed, the oldest change since the last time. */
export class TriggerTimes {
  readonly #seen = new Map<string, Seen>();

  /** The time in RFC 3339; undefined when nothing that has a time has changed. */
  next(key: string, service: Live<Service>, pods: readonly Live<Pod>[]): string | undefined {
    const before = this.#seen.get(key);
    const now: Seen = {
      service: service.metadata.creationTimestamp,
      pods: new Map(
        pods.map((pod) => [
          pod.metadata.name,
          conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime,
        ]),
      ),
    };
    this.#seen.set(key, now);
    const changes = [...now.pods].flatMap(([name, time]) =>
      time !== undefined && time > (before?.pods.get(name) ?? '') ? [time] : [],
    );
    if (now.service > (before?.service ?? '')) changes.push(now.service);
    return changes.toSorted()[0];
  }

  forget(key: string): void {
    this.#seen.delete(key);
  }
}

/** Annotations with the time of a change, or without a time that no longer holds. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): { readonly annotations?: Readonly<Record<string, string>> } {
  const { [triggerTimeAnnotation]: _former, ...kept } = annotations ?? {};
  const next = time === undefined ? kept : { ...kept, [triggerTimeAnnotation]: time };
  return Object.keys(next).length > 0 ? { annotations: next } : {};
}
