import type { FieldType, SchemaTable } from '../schema/schema.ts';

/** Where a patch stands in the schema; undefined below what the schema knows. */
export interface PatchPosition {
  readonly table: SchemaTable;
  readonly type: FieldType;
}

/** How a strategic merge patch treats one member. */
export interface PatchField {
  /** The member itself, or the elements of the list that it is. */
  readonly position?: PatchPosition;
  readonly strategy: 'merge' | 'replace' | undefined;
  /** `$retainKeys` belongs into client-made patches. */
  readonly retainKeys: boolean;
  /** Names the elements of a list of objects; absent for lists of scalars. */
  readonly mergeKey?: string;
}

const UNKNOWN: PatchField = { strategy: undefined, retainKeys: false };

/** The treatment of a member; for members outside the schema maps merge and lists are replaced. */
export function patchField(position: PatchPosition | undefined, key: string): PatchField {
  if (!position) return UNKNOWN;
  const { table, type } = position;
  if (type.type === 'map') return { ...UNKNOWN, position: { table, type: type.values } };
  const field = type.type === 'message' ? table.get(type.message).fields.get(key) : undefined;
  if (!field) return UNKNOWN;
  const { patchStrategy = [], patchMergeKey, of } = field;
  return {
    position: { table, type: of.type === 'list' ? of.items : of },
    strategy: patchStrategy.find((strategy) => strategy !== 'retainKeys'),
    retainKeys: patchStrategy.includes('retainKeys'),
    ...(patchMergeKey === undefined ? {} : { mergeKey: patchMergeKey }),
  };
}
