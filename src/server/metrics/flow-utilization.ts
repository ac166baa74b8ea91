import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { TimedValue } from '../../base/metrics/timing-histogram.ts';
import { defaultConcurrency } from '../flow-control/flow-controller.ts';
import type { FlowObserver, KindObserver, RequestKind } from '../flow-control/observe-flow.ts';
import type { LevelState } from '../flow-control/priority-level.ts';

/** What nothing limits counts as if it were a tenth of the server, as upstream's. */
const unlimitedSeats = defaultConcurrency / 10;

/** For how long levels and kinds of requests were used to which fraction, under upstream's names. */
export function flowUtilization(
  registry: MetricRegistry,
  clock: Clock,
): Pick<FlowObserver, 'level' | 'kinds'> {
  const phased = ['phase', 'priority_level'];
  const seats = registry.timingHistogram({
    name: 'apiserver_flowcontrol_priority_level_seat_utilization',
    help: '[ALPHA] For how many nanoseconds which fraction of the seats was taken.',
    labels: phased,
    buckets: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    clock,
  });
  const requests = registry.timingHistogram({
    name: 'apiserver_flowcontrol_priority_level_request_utilization',
    help: '[ALPHA] For how many nanoseconds how many requests were served or waited, of those that may.',
    labels: phased,
    buckets: [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1],
    clock,
  });
  const demand = registry.timingHistogram({
    name: 'apiserver_flowcontrol_demand_seats',
    help: '[ALPHA] For how many nanoseconds how many seats were asked for, of those that there are.',
    labels: ['priority_level'],
    buckets: [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6],
    clock,
  });
  const rooms = new Map<string, number>();
  const kinds = kindObservers(registry, clock, () =>
    [...rooms.values()].reduce((sum, room) => sum + room, 0),
  );
  return {
    level(name) {
      const taken = seats.labels('executing', name);
      const served = requests.labels('executing', name);
      const waiting = requests.labels('waiting', name);
      const asked = demand.labels(name);
      return {
        changed(state: LevelState) {
          const limit = state.limit || unlimitedSeats;
          taken.set(state.inUse / limit);
          served.set(state.executing / limit);
          waiting.set(state.waiting / Math.max(1, state.room));
          asked.set(state.demand / limit);
          rooms.set(name, state.room);
        },
      };
    },
    kinds,
  };
}

function kindObservers(
  registry: MetricRegistry,
  clock: Clock,
  room: () => number,
): Readonly<Record<RequestKind, KindObserver>> {
  const current = registry.timingHistogram({
    name: 'apiserver_flowcontrol_read_vs_write_current_requests',
    help: '[ALPHA] For how many nanoseconds how many requests were served or waited, of those that may, by kind.',
    labels: ['phase', 'request_kind'],
    buckets: [0, 0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
    clock,
  });
  const waits = registry.gauge({
    name: 'apiserver_current_inqueue_requests',
    help: '[ALPHA] Requests that wait.',
    labels: ['request_kind'],
  });
  const observerOf = (kind: RequestKind): KindObserver => {
    const executing = counted(current.labels('executing', kind), () => defaultConcurrency);
    const waiting = counted(current.labels('waiting', kind), room);
    const queue = waits.labels(kind);
    return {
      queued() {
        queue.add();
        waiting(1);
      },
      left() {
        queue.add(-1);
        waiting(-1);
      },
      started: () => executing(1),
      ended: () => executing(-1),
    };
  };
  return { mutating: observerOf('mutating'), readOnly: observerOf('readOnly') };
}

/** Adds to a number that is followed as a fraction. */
function counted(value: TimedValue, whole: () => number): (change: number) => void {
  let count = 0;
  return (change) => {
    count += change;
    value.set(count / Math.max(1, whole()));
  };
}
