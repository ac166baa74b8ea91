/** What a watch is about: all namespaces, one, or one object. */
export type WatchScope = 'cluster' | 'namespace' | 'resource';

/** Hears of one watch. Must not throw. */
export interface WatchObserver {
  /** An event of so many bytes was sent. */
  event(size: number): void;
  /** What was there when a client asked has been sent, so long after it asked. */
  initialEnd(ms: number): void;
}
