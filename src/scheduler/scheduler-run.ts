import { MetricRegistry } from '../base/metrics/registry.ts';
import { namespaces, nodes, pods, type Pod } from '../api/core/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../machinery/object.ts';
import type { ControllerContext } from '../reconcile/controller.ts';
import type { Informer, InformerFactory } from '../reconcile/informer.ts';
import { BindingCycles, type Assumed } from './binding-cycles.ts';
import { buildProfile } from './build-profile.ts';
import type { ClusterEvent } from './cluster-event.ts';
import { CycleState } from './cycle-state.ts';
import { EventHints } from './event-hints.ts';
import { createExtender, type Extender } from './extenders/extender.ts';
import { extenderName, placeWithExtenders } from './extenders/place-with-extenders.ts';
import { FailureHandler } from './failure-handler.ts';
import type { Handle, PostFilterResult, QueuedPod } from './framework.ts';
import { MeasuredProfile } from './metrics/measured-profile.ts';
import { schedulerMetrics, type AttemptResult, type SchedulerMetrics } from './metrics/scheduler-metrics.ts';
import { nodeChanges } from './node-changes.ts';
import { Nominator } from './nominator.ts';
import { inTreePlugins } from './plugins/in-tree-plugins.ts';
import { podChanges } from './pod-changes.ts';
import { podInfo, type PodInfo } from './pod-info.ts';
import type { Profile } from './profile.ts';
import { seededRandom } from './random.ts';
import { placePod, type NodeSearch, type Placement, type PlacementOptions } from './schedule-pod.ts';
import { SchedulerCache } from './scheduler-cache.ts';
import type { SchedulerOptions } from './scheduler.ts';
import { SchedulingQueue } from './scheduling-queue.ts';
import { isRejection } from './status.ts';
import { WaitingPods } from './waiting-pods.ts';
import { watchRegistered } from './watched-resources.ts';

/** How long pods are decided in one go before others get the event loop. */
const sliceMs = 5;

const everything: ClusterEvent = { resource: '*', action: 'Update' };

type Attempt = Omit<Assumed, 'waiting' | 'nodeName'>;

/** A running scheduler: hears of the cluster, takes pod after pod from the queue, and decides. */
export class SchedulerRun {
  readonly #context: ControllerContext;
  readonly #options: SchedulerOptions;
  readonly #cache: SchedulerCache;
  readonly #nominator = new Nominator();
  readonly #waiting: WaitingPods;
  readonly #profiles = new Map<string, Profile>();
  readonly #hints = new Map<string, EventHints>();
  readonly #queue: SchedulingQueue;
  readonly #failures: FailureHandler;
  readonly #bindings: BindingCycles;
  readonly #search: NodeSearch = { start: 0 };
  readonly #random: () => number;
  readonly #metrics: SchedulerMetrics;
  readonly #podCache: Informer<Pod>;
  /** Remembers what was asked for, so that all of it is there before the first pod is tried. */
  readonly #informers: InformerFactory;
  readonly #extenders: readonly Extender[];
  readonly #caches = new Set<{ synced(): Promise<void> }>();
  #ready = false;
  #running = false;

  constructor(context: ControllerContext, options: SchedulerOptions) {
    this.#context = context;
    this.#options = options;
    const { clock, signal } = context;
    this.#metrics = schedulerMetrics(context.metrics ?? new MetricRegistry());
    const informers = (this.#informers = {
      ...context.informers,
      for: <T extends KubeObject>(type: ResourceType<T>): Informer<T> => {
        const informer = context.informers.for(type);
        this.#caches.add(informer);
        return informer;
      },
    });
    const namespaceCache = informers.for(namespaces);
    this.#podCache = informers.for(pods);
    this.#random = seededRandom(options.seed ?? Math.floor(Math.random() * 2 ** 31));
    this.#cache = new SchedulerCache((name) => namespaceCache.get(undefined, name)?.metadata.labels);
    this.#waiting = new WaitingPods(clock);
    this.#extenders = (options.extenders ?? []).map((one) => createExtender(one, clock));
    for (const plan of options.profiles) {
      const handle = this.#handle(plan.schedulerName);
      const profile = buildProfile(plan, {
        registry: inTreePlugins,
        handle,
        nominator: this.#nominator,
        make: (made) => new MeasuredProfile(made, this.#metrics, clock),
      });
      this.#profiles.set(plan.schedulerName, profile);
      const registrations = profile.registrations();
      if (this.#extenders.length > 0) registrations.set(extenderName, undefined);
      this.#hints.set(plan.schedulerName, new EventHints(registrations));
    }
    const [first] = this.#profiles.values();
    const noHints = new EventHints([]);
    this.#queue = new SchedulingQueue({
      clock,
      initialBackoffMs: options.podInitialBackoffMs,
      maxBackoffMs: options.podMaxBackoffMs,
      before: (a, b) => first?.queueSort(a, b) ?? a.order < b.order,
      preEnqueue: (pod) => this.#profileOf(pod.pod)?.preEnqueue(pod),
      hintsFor: ({ pod }) => this.#hints.get(pod.spec.schedulerName ?? '') ?? noHints,
      concerned: (event) => this.#concerned(event),
      wake: () => this.#wake(),
      onQueued: (queue, event) => this.#metrics.queued(queue, event),
    });
    this.#failures = new FailureHandler({
      context,
      queue: this.#queue,
      nominator: this.#nominator,
      podCache: this.#podCache,
    });
    this.#bindings = new BindingCycles({
      cache: this.#cache,
      queue: this.#queue,
      waiting: this.#waiting,
      failures: this.#failures,
      events: context.events,
      clock,
      metrics: this.#metrics,
      binders: this.#extenders.filter(({ binds }) => binds),
      resume: () => this.#wake(),
    });
    this.#metrics.read({
      pending: () => this.#queue.counts(),
      unschedulable: () => this.#unschedulable(),
      cached: () => this.#cache.sizes(),
      bindings: () => this.#bindings.running,
    });
    this.#watchNodes();
    this.#watchOthers();
    this.#watchPods();
    namespaceCache.addHandler({
      onAdd: (next) => this.#queue.notify({ resource: 'Namespace', action: 'Add', next }),
      onUpdate: (next, previous) =>
        this.#queue.notify({ resource: 'Namespace', action: 'Update', previous, next }),
    });
    void Promise.all([...this.#caches].map((cache) => cache.synced())).then(() => {
      this.#ready = true;
      this.#queue.notify(everything);
      this.#wake();
    });
    signal.addEventListener('abort', () => this.#queue.stop(), { once: true });
  }

  /** Resolves when no binding and no status is being written any more. */
  async stop(): Promise<void> {
    this.#queue.stop();
    for (const waiting of this.#waiting.values()) waiting.reject('', 'the scheduler stops');
    for (const extender of this.#extenders) extender.close();
    await this.#bindings.settled();
    await this.#failures.settled();
  }

  #handle(schedulerName: string): Handle {
    const { client, clock, signal, events } = this.#context;
    let lastState: CycleState | undefined;
    let lastFilters: ReturnType<Profile['filtersFor']> = [];
    const profile = (): Profile => {
      const found = this.#profiles.get(schedulerName);
      if (!found) throw new Error(`profile ${schedulerName} is still being made`);
      return found;
    };
    return {
      client,
      informers: this.#informers,
      clock,
      signal,
      events: events.as(schedulerName),
      snapshot: this.#cache,
      nominations: this.#nominator,
      profileName: schedulerName,
      extenders: this.#extenders,
      random: () => this.#random(),
      filter: (state, pod, node) => {
        if (lastState !== state) {
          lastState = state;
          lastFilters = profile().filtersFor(state);
        }
        return profile().filter(state, pod, node, lastFilters)?.status;
      },
      addPod: (state, pod, added, node) => profile().addPod(state, pod, added, node),
      removePod: (state, pod, removed, node) => profile().removePod(state, pod, removed, node),
      waitingPods: () => this.#waiting.values(),
      writeStatus: (pod, change) => this.#failures.writeStatus(pod, change),
      clearNomination: (pod) => {
        this.#nominator.remove(pod.uid);
        void this.#failures.writeStatus(pod.pod, { nominatedNodeName: '' });
        this.#queue.activate([pod.uid]);
      },
      activate: (uids) => this.#queue.activate(uids),
      onPreemption: (victims) => this.#metrics.preempted(victims),
      onFailure: (_plugin, pod, error) => this.#failures.report(pod, error),
    };
  }

  *#unschedulable(): Iterable<readonly [plugin: string, profile: string, pods: number]> {
    const counts = new Map<string, Map<string, number>>();
    for (const [plugin, { pod }] of this.#queue.rejected()) {
      const profile = pod.spec.schedulerName ?? '';
      const plugins = counts.get(profile) ?? new Map<string, number>();
      counts.set(profile, plugins.set(plugin, (plugins.get(plugin) ?? 0) + 1));
    }
    for (const [profile, plugins] of counts)
      for (const [plugin, pods] of plugins) yield [plugin, profile, pods];
  }

  #concerned(event: ClusterEvent): readonly string[] | undefined {
    const plugins = new Set<string>();
    for (const hints of this.#hints.values()) {
      const concerned = hints.concerned(event);
      if (!concerned) return undefined;
      for (const plugin of concerned) plugins.add(plugin);
    }
    return [...plugins];
  }

  #profileOf({ spec }: Pod): Profile | undefined {
    return this.#profiles.get(spec.schedulerName ?? 'default-scheduler');
  }

  #watchNodes(): void {
    this.#informers.for(nodes).addHandler({
      onAdd: (next) => {
        this.#cache.setNode(next);
        this.#queue.notify({ resource: 'Node', action: 'Add', next });
      },
      onUpdate: (next, previous) => {
        this.#cache.setNode(next);
        for (const event of nodeChanges(next, previous)) this.#queue.notify(event);
      },
      onDelete: (previous) => {
        this.#cache.removeNode(previous.metadata.name);
        this.#queue.notify({ resource: 'Node', action: 'Delete', previous });
      },
    });
  }

  #watchOthers(): void {
    const registrations = [...this.#profiles.values()].flatMap((profile) =>
      [...profile.registrations().values()].flatMap((events) => events ?? []),
    );
    watchRegistered(registrations, this.#informers, (event) => this.#queue.notify(event));
  }

  #watchPods(): void {
    this.#podCache.addHandler({
      onAdd: (pod) => this.#see(pod),
      onUpdate: (pod, previous) => this.#see(pod, previous),
      onDelete: (pod) => this.#lose(pod),
    });
  }

  #see(pod: Live<Pod>, previous?: Live<Pod>): void {
    const { phase } = pod.status ?? {};
    const { uid } = pod.metadata;
    if (phase === 'Succeeded' || phase === 'Failed') this.#lose(pod);
    else if (pod.spec.nodeName) this.#seeAssigned(pod, pod.spec.nodeName, previous);
    else if (!this.#profileOf(pod) || pod.metadata.deletionTimestamp !== undefined) this.#lose(pod);
    else if (!this.#cache.isAssumed(uid)) {
      const info = podInfo(pod);
      this.#nominate(info, previous);
      if (previous) this.#queue.update(info, podChanges('TargetPod', pod, previous));
      else this.#queue.add(info);
    }
  }

  #seeAssigned(pod: Live<Pod>, nodeName: string, previous: Live<Pod> | undefined): void {
    const { uid } = pod.metadata;
    const known = this.#cache.nodeOf(uid) !== undefined && !this.#cache.isAssumed(uid);
    this.#queue.remove(uid);
    this.#nominator.remove(uid);
    this.#cache.confirm(pod, nodeName);
    if (!known || !previous) this.#queue.notify({ resource: 'AssignedPod', action: 'Add', next: pod });
    else for (const event of podChanges('AssignedPod', pod, previous)) this.#queue.notify(event);
  }

  /** A nomination in the status counts; one that the scheduler has just made may not be there yet. */
  #nominate(info: PodInfo, previous: Live<Pod> | undefined): void {
    const stated = info.pod.status?.nominatedNodeName ?? '';
    const before = previous?.status?.nominatedNodeName ?? '';
    const kept = stated === '' && before === '' ? this.#nominator.nodeOf(info.uid) : undefined;
    this.#nominator.set(info, kept ?? stated);
  }

  #lose(pod: Live<Pod>): void {
    const { uid } = pod.metadata;
    const freed = this.#cache.holds(uid) || this.#nominator.nodeOf(uid) !== undefined;
    this.#queue.remove(uid);
    this.#nominator.remove(uid);
    this.#waiting.get(uid)?.reject('', 'pod is gone');
    this.#cache.remove(uid);
    if (freed) this.#queue.notify({ resource: 'AssignedPod', action: 'Delete', previous: pod });
  }

  #wake(): void {
    if (!this.#ready || this.#running || this.#context.signal.aborted) return;
    this.#running = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    const { clock, signal } = this.#context;
    const end = clock.monotonic() + sliceMs;
    do {
      const queued = signal.aborted || this.#bindings.full ? undefined : this.#queue.pop();
      if (!queued) {
        this.#running = false;
        return;
      }
      const deciding = this.#decide(queued);
      if (deciding) {
        void deciding.finally(() => setImmediate(() => this.#run()));
        return;
      }
    } while (clock.monotonic() < end);
    setImmediate(() => this.#run());
  }

  /** Decides about one pod: at once, unless an extender has a say. */
  #decide(queued: QueuedPod): Promise<void> | undefined {
    const pod = queued.info;
    const profile = this.#profileOf(pod.pod);
    if (!profile || this.#cache.isAssumed(pod.uid)) {
      this.#queue.done(pod.uid);
      return undefined;
    }
    const { clock } = this.#context;
    const state = new CycleState();
    const attempt: Attempt = { pod, queued, profile, state, startedAt: clock.monotonic() };
    const options: PlacementOptions = {
      profile,
      state,
      snapshot: this.#cache,
      percentageOfNodesToScore: this.#options.percentageOfNodesToScore,
      search: this.#search,
      random: this.#random,
      measureFilter: () => {
        const start = clock.monotonic();
        return (status) =>
          this.#metrics.asked('Filter', {
            profile: profile.schedulerName,
            status,
            ms: clock.monotonic() - start,
          });
      },
    };
    const extenders = this.#extenders.filter(
      (one) => (one.filters || one.prioritizes) && one.isInterested(pod),
    );
    if (extenders.length === 0) return this.#proceed(attempt, placePod(pod, options));
    return placeWithExtenders(pod, { ...options, extenders }).then((placement) =>
      this.#isCurrent(attempt) ? this.#proceed(attempt, placement) : undefined,
    );
  }

  /** Whether the pod still waits for the decision. */
  #isCurrent({ pod: { uid } }: Attempt): boolean {
    return !this.#context.signal.aborted && this.#queue.get(uid) !== undefined;
  }

  #proceed(attempt: Attempt, placement: Placement): Promise<void> | undefined {
    const { pod, profile, state, startedAt } = attempt;
    const { clock } = this.#context;
    this.#metrics.searched(clock.monotonic() - startedAt);
    const attempted = (result: AttemptResult): void =>
      this.#metrics.attempted(result, profile.schedulerName, clock.monotonic() - startedAt);
    switch (placement.outcome) {
      case 'fits':
        this.#assume({ ...attempt, nodeName: placement.nodeName });
        return undefined;
      case 'no-nodes':
        attempted('unschedulable');
        this.#failures.noNodes(pod, profile);
        return undefined;
      case 'error':
        attempted('error');
        this.#failures.error(pod, profile, placement.failed);
        return undefined;
      default: {
        const { diagnosis } = placement;
        const tell = (result: PostFilterResult | undefined): void => {
          this.#failures.unfit(pod, profile, { diagnosis, result });
          attempted('unschedulable');
        };
        const result = profile.postFilter(state, pod, diagnosis);
        if (result instanceof Promise)
          return result.then((one) => (this.#isCurrent(attempt) ? tell(one) : undefined));
        tell(result);
        return undefined;
      }
    }
  }

  #assume(chosen: Omit<Assumed, 'waiting'>): void {
    const { pod, profile, state, nodeName, startedAt } = chosen;
    this.#cache.assume(pod, nodeName);
    this.#nominator.remove(pod.uid);
    const reserved = profile.reserve(state, pod, nodeName);
    const permitted = reserved ? undefined : profile.permit(state, pod, nodeName);
    const failed = reserved ?? permitted?.failed;
    if (!failed) {
      this.#bindings.start({ ...chosen, waiting: permitted?.waiting ?? new Map() });
      return;
    }
    profile.unreserve(state, pod, nodeName);
    this.#cache.remove(pod.uid);
    const result = isRejection(failed.status) ? 'unschedulable' : 'error';
    this.#metrics.attempted(result, profile.schedulerName, this.#context.clock.monotonic() - startedAt);
    if (isRejection(failed.status)) this.#failures.rejected(pod, profile, failed);
    else this.#failures.error(pod, profile, failed);
  }
}
