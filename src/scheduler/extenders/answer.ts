/** Reads a field of an extender's answer by its Go name; case does not matter, as in Go. */
export function field(answer: unknown, name: string): unknown {
  if (!isRecord(answer)) return undefined;
  if (answer[name] !== undefined) return answer[name] ?? undefined;
  const lower = name.toLowerCase();
  for (const [key, value] of Object.entries(answer))
    if (key.toLowerCase() === lower) return value ?? undefined;
  return undefined;
}

/** A text field; empty when absent. */
export function textField(answer: unknown, name: string): string {
  const value = field(answer, name);
  if (value === undefined) return '';
  if (typeof value !== 'string') throw new Error(`the extender's answer: ${name} is no text`);
  return value;
}

/** A number field; 0 when absent. */
export function numberField(answer: unknown, name: string): number {
  const value = field(answer, name);
  if (value === undefined) return 0;
  if (typeof value !== 'number') throw new Error(`the extender's answer: ${name} is no number`);
  return value;
}

/** A list field; undefined when absent. */
export function listField(answer: unknown, name: string): readonly unknown[] | undefined {
  const value = field(answer, name);
  return value === undefined ? undefined : asList(value, name);
}

/** An object field, entry by entry; none when absent. */
export function entriesField(answer: unknown, name: string): readonly (readonly [string, unknown])[] {
  const value = field(answer, name);
  if (value === undefined) return [];
  if (!isRecord(value)) throw new Error(`the extender's answer: ${name} is no object`);
  return Object.entries(value);
}

/** What must be a list; `null` is an empty one. */
export function asList(value: unknown, name: string): readonly unknown[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw new Error(`the extender's answer: ${name} is no list`);
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
