import { type FieldError, duplicate, tooMany } from '../../machinery/field-error.ts';

/** Validates every item of a list; a list of more than `max` items is only reported as such. */
export function validateItems<T>(
  items: readonly T[] | undefined,
  { field, max = Infinity }: { readonly field: string; readonly max?: number },
  validate: (item: T, field: string) => FieldError[],
): FieldError[] {
  if (!items) return [];
  if (items.length > max) return [tooMany(field, items.length, max)];
  return items.flatMap((item, index) => validate(item, `${field}[${index}]`));
}

/** The same for a list whose items have keys of their own; two items of one key are an error. */
export function validateSet<T>(
  items: readonly T[] | undefined,
  rules: { readonly field: string; readonly max?: number; keyOf(item: T): unknown },
  validate: (item: T, field: string) => FieldError[],
): FieldError[] {
  const { field, max = Infinity, keyOf } = rules;
  if (!items) return [];
  const errors = validateItems(items, { field, max }, validate);
  if (items.length > max) return errors;
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item);
    const identity = JSON.stringify(key);
    if (seen.has(identity)) errors.push(duplicate(`${field}[${index}]`, key));
    seen.add(identity);
  }
  return errors;
}
