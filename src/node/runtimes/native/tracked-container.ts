import type { Progress } from '../container-progress.ts';
import type { ContainerStreams } from './container-streams.ts';
import type { ContainerRecord } from './records.ts';

/** What the agent knows of a container. */
export interface Container {
  readonly record: ContainerRecord;
  progress: Progress;
  shimPid: number | undefined;
  streams: ContainerStreams | undefined;
  /** Serialises what is learned about it. */
  observing: Promise<void>;
  readonly started: Deferred;
  readonly ended: Deferred;
}

/** A moment that has not come yet. */
interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve: () => resolve() };
}

export function newContainer(record: ContainerRecord): Container {
  return {
    record,
    progress: { state: 'created' },
    shimPid: undefined,
    streams: undefined,
    observing: Promise.resolve(),
    started: deferred(),
    ended: deferred(),
  };
}
