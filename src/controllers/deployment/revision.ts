import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import { maxSurgeOf } from './rolling.ts';

const prefix = 'deployment.kubernetes.io/';
export const revisionAnnotation: string = `${prefix}revision`;
export const desiredReplicasAnnotation: string = `${prefix}desired-replicas`;
export const maxReplicasAnnotation: string = `${prefix}max-replicas`;
const historyAnnotation = `${prefix}revision-history`;
const historyLimit = 2000;

/** Annotations of a deployment that its replica sets do not inherit. */
export const notInherited: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  'deprecated.deployment.rollback.to',
]);

type Annotations = Readonly<Record<string, string>>;

/** The revision that an object carries; 0 when it carries none. An int64, beyond what numbers hold exactly. */
export function revisionOf(object: Deployment | ReplicaSet): bigint {
  return asRevision(object.metadata.annotations?.[revisionAnnotation]);
}

/** The revision of the newest template: one more than the highest of the others. */
export function nextRevision(others: readonly ReplicaSet[]): bigint {
  return others.map(revisionOf).reduce((highest, one) => (one > highest ? one : highest), 0n) + 1n;
}

/** The number that a text says; 0 when it says none. */
export function asRevision(text: string | undefined): bigint {
  return text !== undefined && /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : 0n;
}

/** Annotations that the replica set of the current template should carry. */
export function newestAnnotations(
  deployment: Deployment,
  replicaSet: ReplicaSet | undefined,
  revision: bigint,
): Annotations {
  const inherited = Object.entries(deployment.metadata.annotations ?? {}).filter(
    ([key]) => !notInherited.has(key),
  );
  const own = replicaSet?.metadata.annotations ?? {};
  const annotations: Record<string, string> = { ...own, ...Object.fromEntries(inherited) };
  const previous = own[revisionAnnotation];
  if (asRevision(previous) < revision) {
    annotations[revisionAnnotation] = String(revision);
    if (previous !== undefined) annotations[historyAnnotation] = history(own[historyAnnotation], previous);
  }
  return annotations;
}

/** The revisions that a replica set had before, oldest dropped when the list gets too long. */
function history(earlier: string | undefined, previous: string): string {
  const revisions = earlier ? earlier.split(',') : [];
  if (revisions.at(-1) !== previous) revisions.push(previous);
  while (revisions.join(',').length > historyLimit) revisions.shift();
  return revisions.join(',');
}

/** Annotations with which a replica set remembers the size of its deployment. */
export function sizeAnnotations(deployment: Deployment): Annotations {
  const replicas = deployment.spec.replicas ?? 1;
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + maxSurgeOf(deployment)),
  };
}
