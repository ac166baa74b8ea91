import type { ControllerRevision } from '../../api/apps/v1.gen.ts';
import type { PodTemplateSpec } from '../../api/core/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import type { LabelSelector } from '../../machinery/meta/v1.gen.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { podTemplateHash } from '../pods/template-hash.ts';

/** What keeps a history of its pod template: a stateful set or a daemon set. */
export interface Versioned extends KubeObject {
  readonly spec: {
    readonly template: PodTemplateSpec;
    readonly selector: LabelSelector;
    readonly revisionHistoryLimit?: number;
  };
  readonly status?: { readonly collisionCount?: number };
}

/** The longest part of an owner's name that goes into the names of its revisions. */
const longestPrefix = 223;

/** What to do so that the newest revision holds the owner's template. */
export type RevisionStep =
  /** It does. */
  | { readonly step: 'keep'; readonly newest: Live<ControllerRevision> }
  /** An earlier one does (a rollback), and becomes the newest by its number. */
  | { readonly step: 'renumber'; readonly newest: Live<ControllerRevision>; readonly revision: number }
  | { readonly step: 'create'; readonly revision: number };

/** Compares the owner's template with its history. Of several equal revisions the one with the highest number counts. */
export function planRevision(owner: Versioned, history: readonly Live<ControllerRevision>[]): RevisionStep {
  const sorted = inRevisionOrder(history);
  const last = sorted.at(-1);
  const next = (last?.revision ?? 0) + 1;
  const equal = sorted.findLast((revision) => holdsTemplate(revision, owner.spec.template));
  if (!equal) return { step: 'create', revision: next };
  if (equal === last) return { step: 'keep', newest: equal };
  return { step: 'renumber', newest: equal, revision: next };
}

/** A revision of the owner's template, numbered `revision`; `collisionCount` changes its name. */
export function newRevision(
  owner: Live<Versioned>,
  options: { readonly revision: number; readonly collisionCount: number; readonly hashLabel: string },
): ControllerRevision {
  const { template } = owner.spec;
  const { name, namespace = '', annotations } = owner.metadata;
  const hash = podTemplateHash(template, options.collisionCount === 0 ? undefined : options.collisionCount);
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name.slice(0, longestPrefix)}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [options.hashLabel]: hash },
      ...(annotations && { annotations }),
      ownerReferences: [controllerReference(owner)],
    },
    data: templatePatch(template),
    revision: options.revision,
  };
}

/** The template that a revision remembers. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const spec = revision.data?.['spec'] as { template?: PodTemplateSpec & { $patch?: string } } | undefined;
  const { $patch: _, ...template } = spec?.template ?? { spec: { containers: [] } };
  return template;
}

/** Whether a revision remembers this template. */
export function holdsTemplate(revision: ControllerRevision, template: PodTemplateSpec): boolean {
  return deepEqual(revision.data, templatePatch(template));
}

/** Which revisions of a history are in use, and which of them the owner's `revisionHistoryLimit` counts. */
export interface RevisionUse {
  isLive(revision: Live<ControllerRevision>): boolean;
  /** Stateful sets count those that are in use by nobody, daemon sets all. */
  readonly counted: 'unused' | 'all';
}

/** Earlier revisions beyond the history limit that may go: those in use by nobody, lowest numbers first. */
export function surplusRevisions(
  owner: Versioned,
  earlier: readonly Live<ControllerRevision>[],
  use: RevisionUse,
): readonly Live<ControllerRevision>[] {
  const unused = inRevisionOrder(earlier).filter((revision) => !use.isLive(revision));
  const counted = use.counted === 'all' ? earlier.length : unused.length;
  return unused.slice(0, Math.max(0, counted - historyLimitOf(owner)));
}

/** A negative limit keeps everything. */
function historyLimitOf({ spec }: Versioned): number {
  const limit = spec.revisionHistoryLimit ?? 10;
  return limit < 0 ? Number.POSITIVE_INFINITY : limit;
}

/** By number; of one number the older first. */
export function inRevisionOrder(history: readonly Live<ControllerRevision>[]): Live<ControllerRevision>[] {
  return history.toSorted((a, b) => {
    if (a.revision !== b.revision) return a.revision - b.revision;
    const [left, right] = [a.metadata, b.metadata];
    if (left.creationTimestamp !== right.creationTimestamp)
      return left.creationTimestamp < right.creationTimestamp ? -1 : 1;
    return left.name < right.name ? -1 : 1;
  });
}

/** A strategic merge patch that puts the template back: what `kubectl rollout undo` applies. */
function templatePatch(template: PodTemplateSpec): Readonly<Record<string, unknown>> {
  return { spec: { template: { ...template, $patch: 'replace' } } };
}
