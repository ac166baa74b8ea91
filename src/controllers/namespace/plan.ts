import type { Namespace, NamespaceCondition } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

/** What was found while emptying a namespace. */
export interface NamespaceContent {
  /** Why resources could not be asked or deleted. */
  readonly failures: readonly string[];
  /** Discovery itself failed. */
  readonly discoveryFailure?: string;
  /** How many objects are left, by resource and group (`pods.`, `deployments.apps`). */
  readonly remaining: ReadonlyMap<string, number>;
  /** How many of those wait for a finalizer, by finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
}

interface Verdict {
  readonly type: string;
  readonly problem?: { readonly reason: string; readonly message: string };
  readonly fine: { readonly reason: string; readonly message: string };
}

/** The conditions of a namespace that is being deleted, in upstream's order and words. */
export function planConditions(
  namespace: Namespace,
  content: NamespaceContent,
  now: number,
): readonly NamespaceCondition[] {
  const current = namespace.status?.conditions;
  return verdicts(content).map(({ type, problem, fine }) => {
    const status = problem ? 'True' : 'False';
    const old = conditionOf(current, type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(now);
    return {
      type,
      status,
      ...(lastTransitionTime !== undefined && { lastTransitionTime }),
      ...(problem ?? fine),
    };
  });
}

/** Whether nothing is left and nothing went wrong. */
export function isEmpty({ failures, discoveryFailure, remaining }: NamespaceContent): boolean {
  return failures.length === 0 && discoveryFailure === undefined && remaining.size === 0;
}

function verdicts({ discoveryFailure, failures, remaining, finalizers }: NamespaceContent): Verdict[] {
  return [
    {
      type: 'NamespaceDeletionDiscoveryFailure',
      fine: { reason: 'ResourcesDiscovered', message: 'All resources successfully discovered' },
      ...(discoveryFailure !== undefined && {
        problem: {
          reason: 'DiscoveryFailed',
          message: `Discovery failed for some groups: ${discoveryFailure}`,
        },
      }),
    },
    {
      type: 'NamespaceDeletionGroupVersionParsingFailure',
      fine: { reason: 'ParsedGroupVersions', message: 'All legacy kube types successfully parsed' },
    },
    {
      type: 'NamespaceDeletionContentFailure',
      fine: {
        reason: 'ContentDeleted',
        message: 'All content successfully deleted, may be waiting on finalization',
      },
      ...(failures.length > 0 && {
        problem: {
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(', ')}`,
        },
      }),
    },
    {
      type: 'NamespaceContentRemaining',
      fine: { reason: 'ContentRemoved', message: 'All content successfully removed' },
      ...(remaining.size > 0 && {
        problem: {
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${tally(remaining, (what, count) => `${what} has ${count} resource instances`)}`,
        },
      }),
    },
    {
      type: 'NamespaceFinalizersRemaining',
      fine: { reason: 'ContentHasNoFinalizers', message: 'All content-preserving finalizers finished' },
      ...(finalizers.size > 0 && {
        problem: {
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${tally(finalizers, (what, count) => `${what} in ${count} resource instances`)}`,
        },
      }),
    },
  ];
}

function tally(
  counts: ReadonlyMap<string, number>,
  sentence: (what: string, count: number) => string,
): string {
  return [...counts]
    .map(([what, count]) => sentence(what, count))
    .sort()
    .join(', ');
}
