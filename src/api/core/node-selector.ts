import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from './v1.gen.ts';

/** Whether a node is wanted. */
export type NodeMatcher = (node: Node) => boolean;

/** Whether a node meets one of the terms. A term without requirements selects nothing. */
export function nodeSelectorMatches(selector: NodeSelector, node: Node): boolean {
  return selector.nodeSelectorTerms.some((term) => nodeSelectorTermMatches(term, node));
}

/** Whether a node meets all requirements of a term. */
export function nodeSelectorTermMatches(term: NodeSelectorTerm, node: Node): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((requirement) => meets(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) =>
      meets(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  );
}

/** What `nodeSelector` and required node affinity ask for together; undefined when that is nothing. */
export function requiredNodes({ spec }: Pod): NodeMatcher | undefined {
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const labels = Object.entries(spec.nodeSelector ?? {});
  if (!required && labels.length === 0) return undefined;
  return (node) =>
    labels.every(([key, value]) => node.metadata.labels?.[key] === value) &&
    (!required || nodeSelectorMatches(required, node));
}

/**
 * Names of the only nodes that required node affinity allows, when each of its terms names some by `metadata.name` (as
 * the pods of a DaemonSet do).
 */
export function namedNodes({ spec }: Pod): ReadonlySet<string> | undefined {
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const { matchFields = [] } of terms) {
    const named = matchFields.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    const [first] = named;
    if (!first) return undefined;
    for (const name of first.values ?? []) {
      if (named.every(({ values = [] }) => values.includes(name))) names.add(name);
    }
  }
  return names;
}

function meets({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    default: {
      const integer = /^[+-]?\d+$/;
      const [bound = ''] = values;
      if (actual === undefined || !integer.test(actual) || !integer.test(bound)) return false;
      return operator === 'Gt' ? BigInt(actual) > BigInt(bound) : BigInt(actual) < BigInt(bound);
    }
  }
}
