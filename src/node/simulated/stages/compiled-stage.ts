import type { KubeObject } from '../../../machinery/object.ts';
import type { Stage } from '../kwok/stage.ts';
import { compileRequirement } from './requirement.ts';
import { stageActions, type StageAction } from './stage-steps.ts';
import { durationSource, integerSource, type StageLanguages } from './value-source.ts';

/** A stage ready to be asked about objects of its kind. */
export interface CompiledStage {
  readonly name: string;
  readonly actions: readonly StageAction[];
  readonly immediateNextStage: boolean;
  readonly hasJitter: boolean;
  matches(object: KubeObject): boolean;
  /** Undefined when an expression that should yield one does not. */
  weight(object: KubeObject): number | undefined;
  /** Milliseconds until the stage is played; `random` in [0, 1) decides within the jitter. */
  delay(object: KubeObject, nowMs: number, random: number): number;
}

/** Compiles a stage; undefined for one without selector, which matches nothing. Throws for wrong expressions. */
export function compileStage(stage: Stage, languages: StageLanguages): CompiledStage | undefined {
  const { selector, delay, weight = 0, weightFrom, immediateNextStage = false } = stage.spec;
  if (!selector) return undefined;
  const labels = Object.entries(selector.matchLabels ?? {});
  const annotations = Object.entries(selector.matchAnnotations ?? {});
  const requirements = (selector.matchExpressions ?? []).map((one) => compileRequirement(one, languages));
  const weightOf = integerSource(weight, weightFrom, languages);
  const duration = durationSource(delay?.durationMilliseconds ?? 0, delay?.durationFrom, languages);
  const hasJitter =
    delay?.jitterDurationMilliseconds !== undefined || delay?.jitterDurationFrom !== undefined;
  const jitter = hasJitter
    ? durationSource(delay.jitterDurationMilliseconds, delay.jitterDurationFrom, languages)
    : undefined;
  return {
    name: stage.metadata.name ?? '',
    actions: stageActions(stage),
    immediateNextStage,
    hasJitter,
    matches: (object) =>
      hasAll(object.metadata.labels, labels) &&
      hasAll(object.metadata.annotations, annotations) &&
      requirements.every((holds) => holds(object)),
    weight: (object) => weightOf(object, 0),
    delay(object, nowMs, random) {
      if (!delay) return 0;
      const least = duration(object, nowMs);
      if (least === undefined) return 0;
      const most = jitter?.(object, nowMs);
      if (most === undefined) return least;
      return most <= least ? most : least + random * (most - least);
    },
  };
}

function hasAll(
  held: Readonly<Record<string, string>> | undefined,
  wanted: readonly (readonly [string, string])[],
): boolean {
  return wanted.every(([key, value]) => held?.[key] === value);
}

/**
 * One of the stages that match the object, by their weights; equally when all weights are 0. Stages whose weight cannot be
 * computed are left out unless that is all of them. `random` in [0, 1) decides.
 */
export function chooseStage(
  stages: readonly CompiledStage[],
  object: KubeObject,
  random: () => number,
): CompiledStage | undefined {
  const matching = stages.filter((stage) => stage.matches(object));
  if (matching.length <= 1) return matching[0];
  const weighed = matching.flatMap((stage) => {
    const weight = stage.weight(object);
    return weight === undefined || weight < 0 ? [] : [{ stage, weight }];
  });
  if (weighed.length === 0) return matching[Math.floor(random() * matching.length)];
  const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return weighed[Math.floor(random() * weighed.length)]?.stage;
  let rest = random() * total;
  for (const { stage, weight } of weighed) {
    rest -= weight;
    if (rest < 0) return stage;
  }
  return weighed.at(-1)?.stage;
}
