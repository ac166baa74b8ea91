import type { Transport } from '../../machinery/transport.ts';

/** A transport that knows whether anybody is asking something. */
export interface CountingTransport extends Transport {
  /** Requests that have not been answered. */
  readonly pending: number;
  /** Requests begun so far, and those of them that changed what counts for a simulation. */
  readonly begun: number;
  readonly changes: number;
}

/** Requests about these say nothing about how far a simulation has come: they go on for ever. */
const restless = new Set(['leases', 'events']);

export function countingTransport(transport: Transport): CountingTransport {
  const counts = { pending: 0, begun: 0, changes: 0 };
  return {
    get pending() {
      return counts.pending;
    },
    get begun() {
      return counts.begun;
    },
    get changes() {
      return counts.changes;
    },
    async request(request) {
      counts.pending++;
      counts.begun++;
      const reads = request.verb === 'get' || request.verb === 'list' || request.verb === 'watch';
      if (!reads && !restless.has(request.resource)) counts.changes++;
      try {
        return await transport.request(request);
      } finally {
        counts.pending--;
      }
    },
    watch: (request) => transport.watch(request),
    raw: (path, signal) => transport.raw(path, signal),
    close: () => transport.close(),
  };
}
