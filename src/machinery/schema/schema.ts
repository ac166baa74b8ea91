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
  /** By JSON name, in ascending order of names, which is the order in which upstream's JSON shows them. */
  readonly fields: ReadonlyMap<string, FieldSchema>;
}

export type FieldType =
  | { readonly type: 'string' | 'bytes' | 'bool' | 'int32' | 'int64' | 'double' }
  | { readonly type: 'time' | 'microTime' | 'duration' | 'quantity' | 'intOrString' }
  /** Any JSON value, or any JSON object (`RawExtension`, `FieldsV1`). */
  | { readonly type: 'any' | 'raw' | 'fieldsV1' }
  | { readonly type: 'message'; readonly message: string }
  | { readonly type: 'list'; readonly items: FieldType }
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
  readonly required: boolean;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly mapType?: 'atomic' | 'granular';
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
}
