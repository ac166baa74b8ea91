import type { Container, EphemeralContainer, PodSpec } from '../../../api/core/v1.gen.ts';
import type { ObjectMeta } from '../../../machinery/meta/v1.gen.ts';

/** What a check looks at: a pod, or the template of pods to be. */
export interface CheckedPod {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
}

/** Why a pod is not allowed: in a word, and in particular. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** Undefined when the pod is allowed. */
export type PodCheck = (pod: CheckedPod) => Violation | undefined;

/** One control of the Pod Security Standards, by the minor version of the policy (`1.x`) from which a form of it applies. */
export interface Control {
  /** Upstream's name. */
  readonly id: string;
  /** The baseline control that this restricted one makes needless. */
  readonly overrides?: string;
  /** Ascending. */
  readonly since: readonly (readonly [minor: number, check: PodCheck])[];
}

/** The containers of every kind, in upstream's order. */
export function containersOf(spec: PodSpec): readonly (Container | EphemeralContainer)[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** `"a", "b"`. */
export function quoted(items: Iterable<string>): string {
  return [...items].map((item) => `"${item}"`).join(', ');
}

export function plural(count: number, one: string, many: string): string {
  return count === 1 ? one : many;
}

/** `container "a"`, `containers "a", "b"`. */
export function containersNamed(names: readonly string[]): string {
  return `${plural(names.length, 'container', 'containers')} ${quoted(names)}`;
}

/** Who sets something: the pod, its containers, or both; empty when nobody does. */
export function setters(pod: boolean, containers: readonly string[]): string {
  return [...(pod ? ['pod'] : []), ...(containers.length > 0 ? [containersNamed(containers)] : [])].join(
    ' and ',
  );
}

/** Distinct values in order. */
export function distinct(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}
