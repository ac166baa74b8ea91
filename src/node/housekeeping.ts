import { sleep } from '../base/clock.ts';
import type { Node } from '../api/core/v1.gen.ts';
import type { NodeAgentOptions } from './agent.ts';
import { createEvictionManager, type EvictablePod } from './eviction/eviction-manager.ts';
import { observeNode } from './eviction/observe-node.ts';
import type { Pressure } from './eviction/plan-eviction.ts';
import { podUse } from './eviction/pod-use.ts';
import { ImageGc } from './image-gc/image-gc.ts';
import { rotateLogs } from './logs/rotate-logs.ts';
import type { NodeContext } from './node-context.ts';
import type { NodeRegistration } from './node-registration.ts';
import type { PodWorker } from './pod-worker.ts';
import type { PodWorkers } from './pod-workers.ts';
import type { NodeSettings } from './settings/node-settings.ts';
import { volumeImageIds } from './mount-status.ts';

export interface HousekeepingOptions {
  readonly agent: Pick<NodeAgentOptions, 'imagesDirectory' | 'imagesInUse'>;
  readonly context: NodeContext;
  readonly settings: NodeSettings;
  readonly workers: PodWorkers;
  readonly registration: NodeRegistration;
  node(): Node | undefined;
}

/** What a node does at intervals: looks after its disks and memory, its images and its status. */
export interface Housekeeping {
  /** Conditions of pressure that hold. */
  pressure(): readonly Pressure[];
  /** Resolves when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const PERIOD_MS = 10_000;
/** After an eviction the next look is soon: one pod may not have been enough. */
const AFTER_EVICTION_MS = 1000;
const IMAGE_GC_PERIOD_MS = 300_000;

/** The housekeeping of one node. */
export function createHousekeeping(options: HousekeepingOptions): Housekeeping {
  const { context, settings, workers, registration } = options;
  const { clock, runtime, directory, events } = context;
  const { imagesDirectory = directory } = options.agent;
  const imageGc = new ImageGc({
    clock,
    images: context.images,
    inUse: options.agent.imagesInUse ?? ownImages,
    settings: settings.imageGc,
    directory: imagesDirectory,
    onTrouble: (reason, message) => {
      const node = options.node();
      if (node) events.record(node, 'Warning', reason, message);
    },
  });
  const eviction = createEvictionManager({
    clock,
    settings: settings.eviction,
    events,
    node: () => options.node(),
    observe: () => observeNode({ podsDirectory: directory, imagesDirectory }),
    pods: () => workers.taken().map(evictable),
    reclaimDisk: () => imageGc.removeUnused(),
  });
  let imagesDueAt = clock.monotonic() + IMAGE_GC_PERIOD_MS;

  async function ownImages(): Promise<ReadonlySet<string>> {
    const containers = await runtime.listContainers();
    return new Set(
      containers.flatMap(({ imageId, annotations }) => [imageId, ...volumeImageIds(annotations)]),
    );
  }

  function evictable(worker: PodWorker): EvictablePod {
    const { pod } = worker;
    return {
      pod,
      use: (resource) =>
        podUse(resource, { running: worker.observer.running, runtime, storage: () => worker.storage() }),
      evict: (message, graceMs) => {
        events.record(pod, 'Warning', 'Evicted', message);
        worker.evict({ reason: 'Evicted', message, disrupted: true }, graceMs);
      },
    };
  }

  async function once(): Promise<'calm' | 'changed' | 'evicted'> {
    try {
      await workers.resync();
      // A driver that hangs must not hold up the rest.
      for (const volumes of context.podVolumes.values()) volumes.maintain().catch(context.onError);
      const outcome = await eviction.look();
      await clearAway();
      return outcome;
    } finally {
      // The status says why the runtime does not answer.
      await registration.refresh();
      context.puller.sweep();
      context.restarts.sweep();
    }
  }

  async function clearAway(): Promise<void> {
    if (clock.monotonic() >= imagesDueAt) {
      imagesDueAt = clock.monotonic() + IMAGE_GC_PERIOD_MS;
      await imageGc.look();
    }
    await rotateLogs({
      runtime,
      clock,
      maxBytes: settings.containerLogMaxBytes,
      maxFiles: settings.containerLogMaxFiles,
    });
  }

  return {
    pressure: () => eviction.pressure(),
    async run(signal) {
      let wait = AFTER_EVICTION_MS;
      while (!signal.aborted) {
        await sleep(clock, wait, signal).catch(() => undefined);
        if (signal.aborted) return;
        wait = PERIOD_MS;
        try {
          if ((await once()) === 'evicted') wait = AFTER_EVICTION_MS;
        } catch (error) {
          context.onError(error);
        }
      }
    },
  };
}
