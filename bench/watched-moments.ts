import type { Client } from '../src/client/client.ts';
import type { KubeObject, Live, ResourceType } from '../src/machinery/object.ts';

/** Tells when something was first seen to hold, on the clock of `performance.now()`. */
export interface WatchedMoments<T> {
  /** Of the next object that it holds for. Rejects when that does not come in half a minute. */
  when(holds: (object: Live<T>) => boolean): Promise<number>;
  stop(): void;
}

const patienceMs = 30_000;

/** Watches a namespace from now on. */
export async function watchMoments<T extends KubeObject>(
  client: Client,
  type: ResourceType<T>,
  namespace: string,
): Promise<WatchedMoments<T>> {
  const stopping = new AbortController();
  const waiting = new Set<{ holds(object: Live<T>): boolean; done(at: number): void }>();
  const resource = client.for(type);
  const { metadata } = await resource.list({ namespace, limit: 1 });
  const events = resource.watch({
    namespace,
    resourceVersion: metadata.resourceVersion ?? '',
    signal: stopping.signal,
  });
  const follow = async (): Promise<void> => {
    for await (const { object } of events) {
      const at = performance.now();
      for (const one of waiting) if (one.holds(object)) one.done(at);
    }
  };
  follow().catch(() => undefined);
  return {
    when: (holds) =>
      new Promise((resolve, reject) => {
        const one = {
          holds,
          done(at: number) {
            waiting.delete(one);
            clearTimeout(timer);
            resolve(at);
          },
        };
        const timer = setTimeout(() => reject(new Error('not seen within 30 s')), patienceMs);
        waiting.add(one);
      }),
    stop: () => stopping.abort(),
  };
}
