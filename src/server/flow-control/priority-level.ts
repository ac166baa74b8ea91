import type { PriorityLevelConfigurationSpec, QueuingConfiguration } from '../../api/flowcontrol/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import { DemandIntegrator, type DemandStatistics } from './demand-statistics.ts';
import { dealHand, flowHash } from './shuffle-shard.ts';
import type { WorkEstimate } from './work-estimate.ts';

/** Of the same schema and user (or namespace): requests that wait for each other. */
export interface Flow {
  readonly schema: string;
  readonly distinguisher: string;
}

/** The seats that a request holds. */
export interface Seats {
  /** Gives them back; further calls do nothing. */
  release(): void;
}

interface Waiting {
  readonly work: WorkEstimate;
  start(): void;
}

interface Queue {
  readonly waiting: Waiting[];
  /** Virtual time at which its next request starts: grows by the seats of those that were started. */
  start: number;
}

/** What a priority level does at the moment. */
export interface LevelState {
  /** Requests. */
  readonly executing: number;
  readonly waiting: number;
  /** Seats. */
  readonly inUse: number;
  /** Seats in use or waited for. */
  readonly demand: number;
  /** Seats that it may use now; 0 where nothing limits it. */
  readonly limit: number;
  /** Requests that may wait at once. */
  readonly room: number;
}

/** Hears of every change of a level's state. Must not throw. */
export interface LevelObserver {
  changed(state: LevelState): void;
}

export interface PriorityLevelOptions {
  readonly clock: Clock;
  readonly spec: PriorityLevelConfigurationSpec;
  readonly uid: string;
  readonly observer?: LevelObserver | undefined;
}

/** How long a request waits for seats before it is refused. */
const waitLimitMs = 15_000;

/** Why a request got no seats. */
export type Refusal = 'concurrency-limit' | 'queue-full' | 'time-out' | 'cancelled';

/**
 * One priority level: so many seats, and queues for the requests that find none. A flow is dealt a hand of queues and waits in
 * the shortest of them; the queues are served in turn by the seats they were given (fair queuing).
 */
export class PriorityLevel {
  readonly name: string;
  readonly #clock: Clock;
  readonly #statistics: DemandIntegrator;
  readonly #observer: LevelObserver | undefined;
  #spec: PriorityLevelConfigurationSpec;
  #uid: string;
  /** Seats that it may use at once, borrowed ones included. */
  #limit = 0;
  #inUse = 0;
  #executing = 0;
  #queued = 0;
  #waitingSeats = 0;
  #peak = 0;
  #queues: Queue[] = [];
  #now = 0;

  constructor(name: string, { clock, observer, ...configured }: PriorityLevelOptions) {
    this.name = name;
    this.#clock = clock;
    this.#statistics = new DemandIntegrator(clock);
    this.#observer = observer;
    this.#spec = configured.spec;
    this.#uid = configured.uid;
  }

  get uid(): string {
    return this.#uid;
  }

  get spec(): PriorityLevelConfigurationSpec {
    return this.#spec;
  }

  get seatsInUse(): number {
    return this.#inUse;
  }

  /** Seats that it may use now. */
  get limit(): number {
    return this.#limit;
  }

  /** The most seats that were in use or waited for lately. */
  get peak(): number {
    return Math.max(this.#peak, this.#demand);
  }

  get waiting(): number {
    return this.#queued;
  }

  /** Requests that may wait at once. */
  get room(): number {
    const { queues = 0, queueLengthLimit = 0 } = this.#spec.limited?.limitResponse?.queuing ?? {};
    return queues * queueLengthLimit;
  }

  /** What was in use or waited for since this was asked last. */
  takeDemand(): DemandStatistics {
    return this.#statistics.take();
  }

  configure(configured: { spec: PriorityLevelConfigurationSpec; uid: string }): void {
    this.#spec = configured.spec;
    this.#uid = configured.uid;
  }

  /** Sets how many seats it may use from now on. */
  resize(limit: number): void {
    this.#limit = limit;
    this.#dispatch();
    this.#changed();
  }

  /** The most seats that were in use or waited for since this was asked last. */
  takePeak(): number {
    const peak = Math.max(this.#peak, this.#demand);
    this.#peak = this.#demand;
    return peak;
  }

  /** Seats at once, or a promise of them that rejects with a {@link Refusal} in an error's `cause`. */
  enter(flow: Flow, work: WorkEstimate, signal?: () => AbortSignal): Seats | Promise<Seats> {
    if (this.#spec.type === 'Exempt') return this.#seat(work);
    if (this.#queued === 0 && this.#fits(work)) return this.#seat(work);
    const queuing = this.#spec.limited?.limitResponse?.queuing;
    if (!queuing) throw refused('concurrency-limit');
    const queue = this.#queueFor(flow, queuing);
    if (queue.waiting.length >= queuing.queueLengthLimit) throw refused('queue-full');
    return this.#wait(queue, work, signal?.());
  }

  get #demand(): number {
    return this.#inUse + this.#waitingSeats;
  }

  #changed(): void {
    this.#statistics.set(this.#demand);
    this.#observer?.changed({
      executing: this.#executing,
      waiting: this.#queued,
      inUse: this.#inUse,
      demand: this.#demand,
      limit: this.#limit,
      room: this.room,
    });
  }

  /** What needs more seats than there are runs alone. */
  #fits({ seats }: WorkEstimate): boolean {
    return this.#inUse + seats <= this.#limit || (this.#inUse === 0 && this.#limit > 0);
  }

  #seat(work: WorkEstimate): Seats {
    this.#inUse += work.seats;
    this.#executing++;
    this.#peak = Math.max(this.#peak, this.#demand);
    this.#changed();
    let held = true;
    const free = (seats: number): void => {
      this.#inUse -= seats;
      this.#executing--;
      this.#dispatch();
      this.#changed();
    };
    return {
      release: () => {
        if (!held) return;
        held = false;
        const { afterwards } = work;
        if (!afterwards || this.#spec.type === 'Exempt') {
          free(work.seats);
          return;
        }
        this.#inUse += afterwards.seats - work.seats;
        this.#changed();
        this.#clock.after(afterwards.ms, () => free(afterwards.seats));
      },
    };
  }

  #queueFor(flow: Flow, { queues, handSize }: QueuingConfiguration): Queue {
    while (this.#queues.length < queues) this.#queues.push({ waiting: [], start: 0 });
    const hand = dealHand(flowHash(flow.schema, flow.distinguisher), queues, handSize);
    let chosen: Queue | undefined;
    for (const index of hand) {
      const queue = this.#queues[index];
      if (queue && (!chosen || queue.waiting.length < chosen.waiting.length)) chosen = queue;
    }
    if (!chosen) throw refused('queue-full');
    return chosen;
  }

  #wait(queue: Queue, work: WorkEstimate, signal: AbortSignal | undefined): Promise<Seats> {
    return new Promise((resolve, reject) => {
      const leave = (why: Refusal): void => {
        const index = queue.waiting.indexOf(item);
        if (index < 0) return;
        queue.waiting.splice(index, 1);
        settle();
        reject(refused(why));
      };
      const cancel = (): void => leave('cancelled');
      const timer = this.#clock.after(waitLimitMs, () => leave('time-out'));
      const settle = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', cancel);
        this.#queued--;
        this.#waitingSeats -= work.seats;
        this.#changed();
      };
      const item: Waiting = {
        work,
        start: () => {
          settle();
          resolve(this.#seat(work));
        },
      };
      if (queue.waiting.length === 0) queue.start = Math.max(queue.start, this.#now);
      queue.waiting.push(item);
      this.#queued++;
      this.#waitingSeats += work.seats;
      this.#peak = Math.max(this.#peak, this.#demand);
      this.#changed();
      signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  #dispatch(): void {
    while (this.#queued > 0) {
      let next: Queue | undefined;
      for (const queue of this.#queues) {
        if (queue.waiting.length > 0 && (!next || queue.start < next.start)) next = queue;
      }
      const [first] = next?.waiting ?? [];
      if (!next || !first || !this.#fits(first.work)) return;
      next.waiting.shift();
      this.#now = next.start;
      next.start += first.work.seats;
      first.start();
    }
  }
}

function refused(why: Refusal): Error {
  return new Error('too many requests', { cause: why });
}
