import type { DeepMutable } from '../../machinery/object.ts';
import type { MatchResources, RuleWithOperations } from './v1.gen.ts';

/** Fills the scope of rules. */
export function defaultRules(rules: readonly DeepMutable<RuleWithOperations>[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= '*';
}

/** Fills what a policy or binding matches; nothing becomes everything only where it is given at all. */
export function defaultMatchResources(match: DeepMutable<MatchResources> | undefined): void {
  if (!match) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  defaultRules(match.resourceRules);
  defaultRules(match.excludeResourceRules);
}
