import type { ScopedResourceSelectorRequirement } from '../v1.gen.ts';

/** Whether a scope that is a name (a priority class) selects this one; empty or absent when there is none. */
export function scopeMatches(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  name: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return Boolean(name) && values.includes(name ?? '');
    case 'NotIn':
      return !name || !values.includes(name);
    case 'Exists':
      return Boolean(name);
    case 'DoesNotExist':
      return !name;
    default:
      return false;
  }
}
