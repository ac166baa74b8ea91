import { randomInt } from 'node:crypto';
import { timestamp, type Clock } from '../base/clock.ts';
import { WorkQueue } from '../base/queue.ts';
import { RecentMap } from '../base/recent-map.ts';
import { events, type Event } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import { isStatus, StatusError } from '../machinery/status-error.ts';
import { EventCorrelator, type Occurrence } from './event-correlator.ts';
import type { EventRecorder } from './event-recorder.ts';

export interface EventRecorderOptions {
  readonly clock: Clock;
  readonly component: string;
  /** The node, for components that run on one. */
  readonly host?: string;
}

/** A recorder that writes through `client`. Writes of one series keep their order; those that the server refuses are dropped. */
export function createEventRecorder(client: Client, options: EventRecorderOptions): EventRecorder {
  const { clock } = options;
  const correlator = new EventCorrelator(clock);
  const written = new RecentMap<string, Live<Event>>(4096);
  const waiting = new Map<string, Occurrence>();
  const resource = client.for(events);
  // Names of events have the time to the nanosecond; recorders of several components share the clock's milliseconds.
  let serial = BigInt(randomInt(1_000_000));

  const queue = new WorkQueue<string>({
    clock,
    concurrency: 32,
    backoff: { baseMs: 100, maxMs: 10_000 },
    async process(series) {
      const occurrence = waiting.get(series);
      if (!occurrence) return undefined;
      try {
        written.set(series, await write(occurrence, written.get(series)));
      } catch (error) {
        if (!(error instanceof StatusError) || error.code === 429 || error.code >= 500) throw error;
      }
      if (waiting.get(series) === occurrence) waiting.delete(series);
      else queue.add(series);
      return undefined;
    },
  });

  async function write(occurrence: Occurrence, previous: Live<Event> | undefined): Promise<Live<Event>> {
    if (previous && occurrence.count > 1) {
      const { namespace = '', name } = previous.metadata;
      const patch = {
        count: occurrence.count,
        lastTimestamp: timestamp(occurrence.last),
        message: occurrence.message,
      };
      try {
        return await resource.patch({ namespace, name }, patch, { type: 'application/merge-patch+json' });
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
      }
    }
    return await resource.create(draft(occurrence));
  }

  function draft({ about, type, reason, message, source, count, first, last }: Occurrence): Event {
    const { name = '', namespace, uid, resourceVersion } = about.metadata;
    const nanoseconds = BigInt(Math.floor(last)) * 1_000_000n + (serial++ % 1_000_000n);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${nanoseconds.toString(16)}`, namespace: namespace ?? 'default' },
      involvedObject: {
        kind: about.kind,
        apiVersion: about.apiVersion,
        name,
        ...(namespace !== undefined && { namespace }),
        ...(uid !== undefined && { uid }),
        ...(resourceVersion !== undefined && { resourceVersion }),
      },
      type,
      reason,
      message,
      count,
      firstTimestamp: timestamp(first),
      lastTimestamp: timestamp(last),
      source: { component: source.component, ...(source.host !== undefined && { host: source.host }) },
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
    };
  }

  function recorder(component: string, host: string | undefined): EventRecorder {
    const source = { component, ...(host !== undefined && { host }) };
    return {
      record(about: KubeObject, type, reason, message) {
        const correlated = correlator.correlate({ about, type, reason, message, source });
        if (!correlated) return;
        waiting.set(correlated.series, correlated.occurrence);
        queue.add(correlated.series);
      },
      as: recorder,
    };
  }

  return recorder(options.component, options.host);
}
