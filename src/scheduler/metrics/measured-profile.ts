import type { Clock } from '../../base/clock.ts';
import type { CycleState } from '../cycle-state.ts';
import type { Diagnosis, PostFilterResult } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { Profile, type PluginStatus, type PreFilterOutcome, type ProfileOptions } from '../profile.ts';
import type { Status } from '../status.ts';
import type { SchedulerMetrics } from './scheduler-metrics.ts';

/** A profile that tells how long its extension points take. */
export class MeasuredProfile extends Profile {
  readonly #metrics: SchedulerMetrics;
  readonly #clock: Clock;

  constructor(options: ProfileOptions, metrics: SchedulerMetrics, clock: Clock) {
    super(options);
    this.#metrics = metrics;
    this.#clock = clock;
  }

  override preFilter(state: CycleState, pod: PodInfo): PreFilterOutcome {
    const start = this.#clock.monotonic();
    const outcome = super.preFilter(state, pod);
    this.#tell('PreFilter', start, outcome.failed?.status);
    return outcome;
  }

  override postFilter(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): ReturnType<Profile['postFilter']> {
    const start = this.#clock.monotonic();
    const result = super.postFilter(state, pod, diagnosis);
    if (result instanceof Promise) return result.then((one) => this.#postFiltered(start, one));
    return this.#postFiltered(start, result);
  }

  #postFiltered(start: number, result: PostFilterResult | undefined): PostFilterResult | undefined {
    if (result) this.#tell('PostFilter', start, result.status);
    return result;
  }

  override preScore(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): Status | undefined {
    const start = this.#clock.monotonic();
    const failed = super.preScore(state, pod, nodes);
    this.#tell('PreScore', start, failed);
    return failed;
  }

  override score(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): readonly number[] | Status {
    const start = this.#clock.monotonic();
    const scores = super.score(state, pod, nodes);
    this.#tell('Score', start, 'code' in scores ? scores : undefined);
    return scores;
  }

  override reserve(state: CycleState, pod: PodInfo, nodeName: string): PluginStatus | undefined {
    const start = this.#clock.monotonic();
    const failed = super.reserve(state, pod, nodeName);
    this.#tell('Reserve', start, failed?.status);
    return failed;
  }

  override unreserve(state: CycleState, pod: PodInfo, nodeName: string): void {
    const start = this.#clock.monotonic();
    super.unreserve(state, pod, nodeName);
    this.#tell('Unreserve', start, undefined);
  }

  override permit(state: CycleState, pod: PodInfo, nodeName: string): ReturnType<Profile['permit']> {
    const start = this.#clock.monotonic();
    const result = super.permit(state, pod, nodeName);
    this.#tell('Permit', start, result.failed?.status ?? (result.waiting.size > 0 ? wait : undefined));
    return result;
  }

  override async preBind(
    state: CycleState,
    pod: PodInfo,
    nodeName: string,
  ): Promise<PluginStatus | undefined> {
    const start = this.#clock.monotonic();
    const failed = await super.preBind(state, pod, nodeName);
    this.#tell('PreBind', start, failed?.status);
    return failed;
  }

  override async bind(state: CycleState, pod: PodInfo, nodeName: string): Promise<PluginStatus | undefined> {
    const start = this.#clock.monotonic();
    const failed = await super.bind(state, pod, nodeName);
    this.#tell('Bind', start, failed?.status);
    return failed;
  }

  override postBind(state: CycleState, pod: PodInfo, nodeName: string): void {
    const start = this.#clock.monotonic();
    super.postBind(state, pod, nodeName);
    this.#tell('PostBind', start, undefined);
  }

  #tell(point: string, start: number, status: Status | undefined): void {
    this.#metrics.asked(point, {
      profile: this.schedulerName,
      status: status?.code ?? 'Success',
      ms: this.#clock.monotonic() - start,
    });
  }
}

const wait: Status = { code: 'Wait', reasons: [] };
