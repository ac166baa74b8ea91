import type { ClusterEvent, EventRegistration } from './cluster-event.ts';
import type { PodInfo } from './pod-info.ts';

/** What waiting pods' plug-ins say about events, looked up by event. */
export class EventHints {
  readonly #byEvent = new Map<string, Map<string, EventRegistration[]>>();
  readonly #wokenByAll = new Set<string>();

  /** Adds a profile's registrations; `undefined` is woken by every event. */
  constructor(registrations: Iterable<readonly [string, readonly EventRegistration[] | undefined]>) {
    for (const [plugin, events] of registrations) {
      if (!events) this.#wokenByAll.add(plugin);
      for (const registration of events ?? []) {
        for (const action of registration.actions) {
          const key = `${registration.resource}/${action}`;
          const plugins = this.#byEvent.get(key) ?? new Map<string, EventRegistration[]>();
          this.#byEvent.set(key, plugins.set(plugin, [...(plugins.get(plugin) ?? []), registration]));
        }
      }
    }
  }

  /** The plug-ins that care for the event at all; undefined: every one. */
  concerned({ resource, action }: ClusterEvent): readonly string[] | undefined {
    if (resource === '*') return undefined;
    return [...this.#wokenByAll, ...(this.#byEvent.get(`${resource}/${action}`)?.keys() ?? [])];
  }

  /** Whether the event may help a pod that the plug-in rejected. */
  wakes(plugin: string, pod: PodInfo, event: ClusterEvent): boolean {
    if (event.resource === '*' || this.#wokenByAll.has(plugin)) return true;
    const registrations = this.#byEvent.get(`${event.resource}/${event.action}`)?.get(plugin);
    return registrations?.some((registration) => hintOf(registration, pod, event) === 'Queue') ?? false;
  }
}

/** A hint that fails is taken for a yes: better one attempt too many than a pod forgotten. */
function hintOf(registration: EventRegistration, pod: PodInfo, event: ClusterEvent): 'Queue' | 'QueueSkip' {
  try {
    return registration.hint?.(pod, event) ?? 'Queue';
  } catch {
    return 'Queue';
  }
}
