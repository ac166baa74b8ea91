import type { Clock } from '../../base/clock.ts';
import type { Store } from '../kv.ts';
import { MvccStore } from '../mvcc/mvcc-store.ts';
import type { HistoryLimits } from '../mvcc/history-limits.ts';
import { createMemoryBackend } from './memory-backend.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** How much history is kept when nobody asks for compaction. */
  readonly history?: HistoryLimits;
}

/** A store that lives and dies with this process. Writes resolve at once. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  return new MvccStore(createMemoryBackend(), options);
}
