import type { SchemaProps } from './structural-schema.ts';

const scalars: ReadonlySet<string> = new Set(['string', 'integer', 'number', 'boolean']);
const harmless: ReadonlySet<string> = new Set(['type', 'description', 'title', 'format', 'enum', 'pattern']);

/** Whether a schema is that of a scalar and says nothing that the rules about schemas could object to; most are so. */
export function isPlainScalar(schema: Pick<SchemaProps, 'type'>): boolean {
  if (schema.type === undefined || !scalars.has(schema.type)) return false;
  for (const keyword in schema) if (!harmless.has(keyword)) return false;
  return true;
}
