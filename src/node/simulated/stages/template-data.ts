/** An object as templates see it: whole numbers are Go's integers; managed fields are left out. */
export function toTemplateData(object: unknown): unknown {
  if (typeof object === 'number') return Number.isSafeInteger(object) ? BigInt(object) : object;
  if (Array.isArray(object)) return object.map(toTemplateData);
  if (typeof object !== 'object' || object === null) return object;
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined && key !== 'managedFields') copy[key] = toTemplateData(value);
  }
  return copy;
}

/** A value of a template as JSON holds it. */
export function fromTemplateData(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(fromTemplateData);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fromTemplateData(inner)]));
}
