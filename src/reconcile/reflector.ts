import { createBackoff } from '../base/backoff.ts';
import { sleep, type Clock } from '../base/clock.ts';
import type { ResourceClient } from '../client/client.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';

/** A change of one object. */
export interface ObjectEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: Live<T>;
}

export interface ReflectorOptions<T extends KubeObject> {
  readonly resource: Pick<ResourceClient<T>, 'list' | 'watch'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The complete state, at the start and after every gap. */
  replace(objects: readonly Live<T>[], resourceVersion: string): void;
  /** One change since. */
  apply(event: ObjectEvent<T>): void;
  /** The watch has come this far without a change; a listener that keeps versions may note it. */
  advance?(resourceVersion: string): void;
  /** Hears why a list or watch failed; it is tried again. */
  onError?(error: unknown): void;
}

/**
 * Follows one resource until the signal aborts: lists it, watches from there, resumes from the last version seen when
 * the watch ends, and lists anew when the server no longer has that version. Failures are retried with a backoff.
 */
export async function reflect<T extends KubeObject>(options: ReflectorOptions<T>): Promise<void> {
  const { resource, clock, signal } = options;
  const backoff = createBackoff({ baseMs: 50, maxMs: 30_000 });
  let version: string | undefined;
  while (!signal.aborted) {
    try {
      if (version === undefined) {
        const list = await resource.list({ signal });
        version = list.metadata.resourceVersion ?? '';
        options.replace(list.items, version);
        backoff.reset();
      }
      const started = clock.monotonic();
      const watch = resource.watch({ resourceVersion: version, allowWatchBookmarks: true, signal });
      for await (const event of watch) {
        version = event.object.metadata.resourceVersion;
        if (event.type === 'BOOKMARK') options.advance?.(version);
        else options.apply({ type: event.type, object: event.object });
        backoff.reset();
      }
      if (clock.monotonic() - started < 1000) await pause(clock, backoff.next(), signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isStatus(error, 'Expired') || isStatus(error, 'Gone')) version = undefined;
      else options.onError?.(error);
      await pause(clock, backoff.next(), signal);
    }
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await sleep(clock, ms, signal).catch((reason: unknown) => {
    if (!signal.aborted) throw reason;
  });
}
