/**
 * The schema of the Kubernetes API as the compact table holds it: one {@link MessageSchema} per Go struct, compiled on
 * first use. Custom resources bring schemas of the same shape at run time.
 */
export interface SchemaTable {
  /** By OpenAPI definition name (`io.k8s.api.core.v1.Pod`); throws for a name that is not in the table. */
  get(name: string): MessageSchema;
  has(name: string): boolean;
}

export interface MessageSchema {
  readonly name: string;
  /** By JSON name, in ascending order of names. */
  readonly fields: ReadonlyMap<string, FieldSchema>;
  /** The fields that Go's encoder writes whatever their value is. */
  readonly alwaysWritten: readonly FieldSchema[];
  readonly mapType?: 'atomic' | 'granular';
  /** Of a kind; `every` for kinds that all groups register (`DeleteOptions`, `WatchEvent`). */
  readonly groupVersionKind?: GroupVersionKind | 'every';
  /** `x-kubernetes-unions` of the definition. */
  readonly unions?: readonly unknown[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export type FieldType =
  | { readonly type: 'string' | 'bytes' | 'bool' | 'int32' | 'int64' | 'double' }
  | { readonly type: 'time' | 'microTime' | 'duration' | 'quantity' | 'intOrString' }
  /** Any JSON value, or any JSON object (`RawExtension`, `FieldsV1`). */
  | { readonly type: 'any' | 'raw' | 'fieldsV1' }
  | { readonly type: 'message'; readonly message: string }
  /** JSON Schema's unions: an object of that message, or an array of such objects, a boolean, an array of strings. */
  | { readonly type: 'schemaOrList' | 'schemaOrBool' | 'schemaOrStrings'; readonly message: string }
  /** With `wrapped`, protobuf holds the items in a message of their own (`ExtraValue`, `Verbs`). */
  | { readonly type: 'list'; readonly items: FieldType; readonly wrapped?: boolean }
  | { readonly type: 'map'; readonly values: FieldType };

export interface FieldSchema {
  readonly name: string;
  readonly of: FieldType;
  /** Protobuf field number; with {@link FieldSchema.inline} the number of the embedded struct's own message. */
  readonly number: number;
  /** Numbers of the embedded messages that lead to this field, outermost first (`Volume.volumeSource`). */
  readonly through?: readonly number[];
  /** Go holds a pointer: absent differs from zero. */
  readonly pointer: boolean;
  readonly omitempty: boolean;
  /** Go leaves the zero value of a struct out, which `omitempty` alone does not. */
  readonly omitzero?: boolean;
  readonly required: boolean;
  /** What the string, or each string of the list or map, may be; ascending. */
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
}

/** Builds a message from its fields in any order. */
export function messageSchema(
  name: string,
  fields: readonly FieldSchema[],
  further: Pick<MessageSchema, 'mapType' | 'groupVersionKind' | 'unions'> = {},
): MessageSchema {
  const ordered = fields.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    name,
    fields: new Map(ordered.map((field) => [field.name, field])),
    alwaysWritten: ordered.filter(isAlwaysWritten),
    ...further,
  };
}

const structs: ReadonlySet<string> = new Set([
  'message',
  'time',
  'microTime',
  'duration',
  'quantity',
  'intOrString',
  'raw',
]);

/** `omitempty` has no effect on the value of a struct: `status: {}`, `targetPort: 0`, `divisor: "0"`. */
function isAlwaysWritten(field: FieldSchema): boolean {
  if (field.omitzero) return false;
  if (!field.omitempty) return true;
  return !field.pointer && structs.has(field.of.type);
}
