import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { apiVersionOf } from '../../machinery/object.ts';
import type { FieldType, GroupVersionKind, SchemaTable } from '../../machinery/schema/schema.ts';

/** The options of a connection (`PodExecOptions`), which its query spells, as the object that admission looks at. */
export function connectOptions(
  table: SchemaTable,
  { schema, kind }: { readonly schema: string; readonly kind: GroupVersionKind },
  query: URLSearchParams,
): DeepMutable<KubeObject> {
  const options: Record<string, unknown> = { kind: kind.kind, apiVersion: apiVersionOf(kind) };
  for (const field of table.get(schema).fields.values()) {
    const values = query.getAll(field.name);
    const value = values.length > 0 ? read(field.of, values) : undefined;
    if (value !== undefined) options[field.name] = value;
  }
  return options as DeepMutable<KubeObject>;
}

function read(of: FieldType, values: readonly string[]): unknown {
  const first = values[0] ?? '';
  switch (of.type) {
    case 'bool':
      return /^(1|t|true)$/i.test(first) || first === '';
    case 'int32':
    case 'int64':
      return /^[+-]?\d+$/.test(first) ? Number(first) : undefined;
    case 'list':
      return values.map((value) => read(of.items, [value]));
    case 'string':
      return first;
    default:
      return undefined;
  }
}
