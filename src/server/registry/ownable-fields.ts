import type { ResourceDefinition } from '../../api/resource.ts';
import { fieldSet, type FieldNode, type FieldSet } from '../../machinery/managed-fields/field-set.ts';
import { memberElement } from '../../machinery/managed-fields/path-element.ts';

/** Which fields a request through an endpoint may own (upstream's `GetResetFields` and `GetResetFieldsFilter`). */
export interface OwnableFields {
  /** What the endpoint sets back, with all below. */
  readonly reset: FieldSet;
  /** What is left of a set where the endpoint writes certain fields only. */
  only(set: FieldSet): FieldSet;
}

const known = new WeakMap<ResourceDefinition, Map<string | undefined, OwnableFields>>();

/** The rules of an endpoint: through the object itself no status is owned, through `status` nothing of `spec`. */
export function ownableFields(
  definition: ResourceDefinition,
  subresource: string | undefined,
): OwnableFields {
  let rules = known.get(definition);
  if (!rules) known.set(definition, (rules = new Map()));
  let rule = rules.get(subresource);
  if (!rule) rules.set(subresource, (rule = rulesOf(definition, subresource)));
  return rule;
}

/** What an endpoint sets back, as paths with dots. */
export function resetPaths(
  { resets, status, subresources }: ResourceDefinition,
  subresource: string | undefined,
): readonly string[] {
  if (subresource === undefined) return resets ?? (status ? ['status'] : []);
  if (subresource === 'status') return status?.resets ?? ['spec'];
  return subresources?.[subresource]?.resets ?? [];
}

function rulesOf(definition: ResourceDefinition, subresource: string | undefined): OwnableFields {
  const reset = paths(resetPaths(definition, subresource));
  const owns =
    subresource === undefined || subresource === 'status'
      ? undefined
      : definition.subresources?.[subresource]?.owns;
  if (!owns) return { reset, only: everything };
  const patterns = owns.map((path) => path.split('.'));
  return { reset, only: (set) => matching(set, patterns) };
}

function everything(set: FieldSet): FieldSet {
  return set;
}

function paths(dotted: readonly string[]): FieldSet {
  return fieldSet(...dotted.map((path) => path.split('.').map(memberElement)));
}

/** The fields at and below the paths; `*` stands for any element. */
function matching(set: FieldSet, patterns: readonly (readonly string[])[]): FieldSet {
  if (patterns.some((pattern) => pattern.length === 0)) return set;
  const result = new Map<string, FieldNode>();
  for (const [element, node] of set) {
    const rest = patterns
      .filter(([first]) => first === '*' || (first !== undefined && memberElement(first) === element))
      .map((pattern) => pattern.slice(1));
    if (rest.length === 0) continue;
    const children = matching(node.children, rest);
    if (node.member || children.size > 0) result.set(element, { member: node.member, children });
  }
  return result;
}
