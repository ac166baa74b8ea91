import type { Clock } from '../../../base/clock.ts';
import { DueQueue } from '../../../base/due-queue.ts';
import { seededRandom } from '../../../base/seeded-random.ts';
import { backoffMs } from '../../../base/backoff.ts';
import type { Client, ResourceClient } from '../../../client/client.ts';
import type { KubeObject, Live, ResourceType } from '../../../machinery/object.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import type { EventRecorder } from '../../../reconcile/event-recorder.ts';
import { chooseStage, type CompiledStage } from './compiled-stage.ts';
import type { ApplyObject } from './object-applier.ts';
import type { StageRenderer } from './stage-renderer.ts';
import { finalizersPatch, patchBody, type StageAction } from './stage-steps.ts';

export interface StagePlayerOptions {
  readonly type: ResourceType<KubeObject>;
  readonly client: Client;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly renderer: StageRenderer;
  readonly apply: ApplyObject;
  readonly seed: string;
  /** Those of this kind, now. */
  readonly stages: () => readonly CompiledStage[];
  /** The object as it is now, if it is to be played at all. */
  readonly current: (namespace: string | undefined, name: string) => Live<KubeObject> | undefined;
  readonly onError: (error: unknown) => void;
}

interface Planned {
  readonly object: Live<KubeObject>;
  readonly stage: CompiledStage;
  readonly failures: number;
  /** Whether anything about it was left to chance. */
  readonly chance: boolean;
}

/** How many stages of one kind are played at once. */
const CONCURRENCY = 64;
const retries = { baseMs: 1000, maxMs: 30_000 };

/**
 * Plays stages on the objects of one kind: whenever an object changes, the stage that matches it is chosen, waited for and
 * played, unless it changes again before. Chance depends on the seed, the object's name and what was played on it before,
 * not on the order in which objects are heard of.
 */
export class StagePlayer {
  readonly #options: StagePlayerOptions;
  readonly #resource: ResourceClient<KubeObject>;
  readonly #due: DueQueue<Planned>;
  readonly #ready = new Map<string, Planned>();
  /** What is being played, and whether the object changed meanwhile. */
  readonly #playing = new Map<string, { changed: boolean }>();
  readonly #turns = new Map<string, number>();
  readonly #idle: (() => void)[] = [];
  #stopped = false;

  constructor(options: StagePlayerOptions) {
    this.#options = options;
    this.#resource = options.client.for(options.type);
    this.#due = new DueQueue(options.clock, (key, planned) => {
      this.#ready.set(key, planned);
      this.#pump();
    });
  }

  /** An object is new or has changed. */
  hear(object: Live<KubeObject>): void {
    const key = keyOf(object);
    const playing = this.#playing.get(key);
    if (playing) {
      playing.changed = true;
      return;
    }
    if (this.#due.get(key)?.object.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#plan(key, object, 0);
  }

  /** An object is gone. */
  forget(object: Live<KubeObject>): void {
    const key = keyOf(object);
    this.#due.delete(key);
    this.#ready.delete(key);
    this.#turns.delete(key);
  }

  /** Resolves when nothing is being played any more. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#due.stop();
    this.#ready.clear();
    if (this.#playing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #plan(key: string, object: Live<KubeObject>, failures: number): void {
    if (this.#stopped) return;
    const { seed, stages, clock, type, onError } = this.#options;
    const turn = this.#turns.get(key) ?? 0;
    try {
      let chance = false;
      const stage = chooseStage(stages(), object, () => {
        chance = true;
        return seededRandom(seed, type.kind, key, turn, 'stage');
      });
      this.#ready.delete(key);
      if (!stage) {
        this.#due.delete(key);
        return;
      }
      const random = seededRandom(seed, type.kind, key, turn, stage.name);
      const delay = stage.delay(object, clock.now(), random);
      this.#due.set(
        key,
        { object, stage, failures, chance: chance || stage.hasJitter },
        failures > 0 ? Math.max(delay, backoffMs(retries, failures)) : delay,
      );
    } catch (error) {
      onError(error);
    }
  }

  #pump(): void {
    for (const [key, planned] of this.#ready) {
      if (this.#playing.size >= CONCURRENCY) return;
      this.#ready.delete(key);
      void this.#play(key, planned);
    }
  }

  async #play(key: string, { object, stage, failures, chance }: Planned): Promise<void> {
    const playing = { changed: false };
    this.#playing.set(key, playing);
    if (chance) this.#turns.set(key, (this.#turns.get(key) ?? 0) + 1);
    let result: Live<KubeObject> | undefined;
    let failed = false;
    try {
      result = await this.#perform(stage.actions, object);
    } catch (error) {
      failed = !isStatus(error, 'NotFound');
      if (failed) this.#options.onError(error);
    }
    this.#playing.delete(key);
    if (!this.#stopped) {
      const { namespace, name } = object.metadata;
      const current = this.#options.current(namespace, name);
      if (failed && current) this.#plan(key, current, failures + 1);
      else if (stage.immediateNextStage && result) this.#plan(key, result, 0);
      else if (playing.changed && current) this.#plan(key, current, 0);
      else if (!current) this.#turns.delete(key);
      this.#pump();
    }
    if (this.#playing.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #perform(
    actions: readonly StageAction[],
    object: Live<KubeObject>,
  ): Promise<Live<KubeObject> | undefined> {
    let result: Live<KubeObject> | undefined;
    for (const action of actions) result = (await this.#act(action, object)) ?? result;
    return result;
  }

  async #act(action: StageAction, object: Live<KubeObject>): Promise<Live<KubeObject> | undefined> {
    const { namespace, name } = object.metadata;
    const ref = { name, ...(namespace !== undefined && { namespace }) };
    switch (action.type) {
      case 'event': {
        const { type, reason = '', message = '' } = action.event;
        this.#options.events.record(object, type === 'Warning' ? 'Warning' : 'Normal', reason, message);
        return undefined;
      }
      case 'finalizers': {
        const patch = finalizersPatch(object.metadata.finalizers, action.finalizers);
        if (!patch) return undefined;
        return await this.#resource.patch(ref, patch, { type: 'application/json-patch+json' });
      }
      case 'delete':
        await this.#resource.delete(ref, { gracePeriodSeconds: 0 });
        return undefined;
      case 'apply': {
        const { patchType, subresource, template } = action;
        const applied = this.#options.renderer.toJson(template, object);
        await this.#options.apply(applied, { patchType, subresource, namespace });
        return undefined;
      }
      default: {
        const body = patchBody(action, this.#options.renderer.toJson(action.template, object));
        return await this.#resource.patch(ref, body, {
          type: action.patchType,
          ...(action.subresource !== undefined && { subresource: action.subresource }),
        });
      }
    }
  }
}

function keyOf({ metadata }: Live<KubeObject>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}
