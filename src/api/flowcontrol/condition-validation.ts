import { type FieldError, duplicate, required } from '../../machinery/field-error.ts';

/** `status.conditions` of flow schemas and priority levels: one of each type. */
export function validateFlowConditions(
  conditions: readonly { readonly type?: string }[] | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [index, { type = '' }] of (conditions ?? []).entries()) {
    const field = `status.conditions[${index}].type`;
    if (types.has(type)) errors.push(duplicate(field, type));
    types.add(type);
    if (type === '') errors.push(required(field, 'must not be empty'));
  }
  return errors;
}
