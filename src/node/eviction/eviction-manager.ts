import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { EventRecorder } from '../../reconcile/event-recorder.ts';
import type { EvictionSettings } from '../settings/node-settings.ts';
import { evictionMessage } from './eviction-message.ts';
import { pressureOf, resourceOf, type EvictionThreshold } from './eviction-threshold.ts';
import {
  noEviction,
  planEviction,
  type EvictionState,
  type Observation,
  type Observations,
  type Pressure,
} from './plan-eviction.ts';
import { rankPods } from './rank-pods.ts';

/** What pods of the node use of something that is short, in all and by container. */
export interface PodUse {
  readonly total: number;
  readonly byContainer: ReadonlyMap<string, number>;
}

/** A pod that runs on the node. */
export interface EvictablePod {
  readonly pod: Pod;
  use(resource: 'memory' | 'pids' | 'inodes' | 'ephemeral-storage'): Promise<PodUse>;
  /** Ends it as failed. */
  evict(message: string, graceMs: number): void;
}

export interface EvictionManagerOptions {
  readonly clock: Clock;
  readonly settings: EvictionSettings;
  readonly events: EventRecorder;
  /** What events are about. */
  node(): Node | undefined;
  observe(): Promise<Observations>;
  pods(): readonly EvictablePod[];
  /** Frees disk space that is no pod's. */
  reclaimDisk(): Promise<void>;
}

/** Keeps a node from running out of memory, disk and processes (the kubelet's eviction manager). */
export interface EvictionManager {
  /** Conditions that hold. */
  pressure(): readonly Pressure[];
  /** Looks once, and evicts at most one pod. Resolves to whether conditions have changed or a pod was evicted. */
  look(): Promise<'calm' | 'changed' | 'evicted'>;
}

const HARD_GRACE_MS = 1000;

/** An eviction manager; somebody has to call it regularly. */
export function createEvictionManager(options: EvictionManagerOptions): EvictionManager {
  const { clock, settings } = options;
  let state: EvictionState = noEviction;
  let pressure: readonly Pressure[] = [];

  async function evictFor(threshold: EvictionThreshold, seen: Observation): Promise<boolean> {
    const resource = resourceOf(threshold.signal);
    const node = options.node();
    if (node)
      options.events.record(node, 'Warning', 'EvictionThresholdMet', `Attempting to reclaim ${resource}`);
    if (pressureOf(threshold.signal) === 'DiskPressure') {
      await options.reclaimDisk();
      const again = plan(await options.observe(), noEviction);
      if (again.thresholds.length === 0) return false;
    }
    const uses = new Map<Pod, PodUse>();
    const owners = new Map<Pod, EvictablePod>();
    for (const one of options.pods()) {
      uses.set(one.pod, await one.use(resource));
      owners.set(one.pod, one);
    }
    const [first] = rankPods(
      [...uses].map(([pod, { total }]) => ({ pod, used: total })),
      resource,
    );
    if (!first) return false;
    const { byContainer } = uses.get(first.pod) ?? {};
    const message = evictionMessage(threshold, seen, first.pod, (name) => byContainer?.get(name));
    const graceMs = threshold.kind === 'hard' ? HARD_GRACE_MS : settings.maxPodGraceSeconds * 1000;
    owners.get(first.pod)?.evict(message, Math.max(HARD_GRACE_MS, graceMs));
    return true;
  }

  function plan(observations: Observations, from: EvictionState): ReturnType<typeof planEviction> {
    const { thresholds, pressureTransitionMs } = settings;
    return planEviction({
      now: clock.monotonic(),
      thresholds,
      observations,
      state: from,
      pressureTransitionMs,
    });
  }

  return {
    pressure: () => pressure,
    async look() {
      if (settings.thresholds.length === 0) return 'calm';
      const observations = await options.observe();
      const planned = plan(observations, state);
      const changed = planned.pressure.join() !== pressure.join();
      ({ state, pressure } = planned);
      const [worst] = planned.thresholds;
      const seen = worst && observations[worst.signal];
      if (worst && seen && (await evictFor(worst, seen))) return 'evicted';
      return changed ? 'changed' : 'calm';
    },
  };
}
