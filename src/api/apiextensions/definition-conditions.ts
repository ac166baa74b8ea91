import type { DeepMutable } from '../../machinery/object.ts';
import { timestamp } from '../../base/clock.ts';
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from './v1.gen.ts';

/** A condition to be set; the time of its change is not said. */
export interface NewCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** Sets a condition, in its place or at the end; `now` in milliseconds is its time when its status changes. */
export function setCondition(
  status: DeepMutable<CustomResourceDefinitionStatus>,
  now: number,
  condition: NewCondition,
): void {
  status.conditions ??= [];
  const known = status.conditions.find(({ type }) => type === condition.type);
  if (!known) {
    status.conditions.push({ ...condition, lastTransitionTime: timestamp(now) });
    return;
  }
  if (known.status !== condition.status) known.lastTransitionTime = timestamp(now);
  Object.assign(known, condition);
}

/** Whether a condition is there and true. */
export function isTrue(definition: CustomResourceDefinition, type: string): boolean {
  return definition.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;
}
