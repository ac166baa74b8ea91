import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { ServedResource } from '../../client/discovery.ts';
import { apiVersionOf, type KubeObject } from '../../machinery/object.ts';
import { resourcePatch, type ResourcePatch } from './resource-patch.ts';
import { saveSnapshot } from './save-snapshot.ts';
import { snapshotObject } from './snapshot-object.ts';

export interface RecordOptions {
  readonly clock: Clock;
  /** Ends the recording. */
  readonly signal: AbortSignal;
  readonly write: (document: KubeObject | ResourcePatch) => void;
  /** The state at the beginning has been written. */
  readonly onStarted: () => void;
}

/** Writes the state of a cluster, then every change of it until the signal aborts. */
export async function recordHistory(
  client: Client,
  resources: readonly ServedResource[],
  options: RecordOptions,
): Promise<void> {
  const { clock, signal } = options;
  const started = clock.monotonic();
  const held = new Map<string, KubeObject>();
  const saved = await saveSnapshot(client, resources, {
    signal,
    write: (object, served) => {
      held.set(keyOf(served, object), object);
      options.write(object);
    },
  });
  options.onStarted();
  await Promise.all(saved.map(({ served, resourceVersion }) => follow(served, resourceVersion)));

  async function follow(served: ServedResource, from: string): Promise<void> {
    const type = { apiVersion: apiVersionOf(served.type), kind: served.type.kind };
    let version = from;
    while (!signal.aborted) {
      try {
        const events = client
          .for<KubeObject>(served.type)
          .watch({ resourceVersion: version, allowWatchBookmarks: true, signal });
        for await (const event of events) {
          version = event.object.metadata.resourceVersion;
          if (event.type === 'BOOKMARK') continue;
          const object = snapshotObject<KubeObject>(event.object, type);
          const key = keyOf(served, object);
          const change = resourcePatch({
            type: served.type,
            previous: held.get(key),
            object: event.type === 'DELETED' ? undefined : object,
            ms: clock.monotonic() - started,
          });
          if (event.type === 'DELETED') held.delete(key);
          else held.set(key, object);
          if (change) options.write(change);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }
}

function keyOf({ type }: ServedResource, { metadata }: KubeObject): string {
  return `${type.group}/${type.resource}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}
