import { isObject } from '../../machinery/patch/json-value.ts';
import type { Column } from '../../api/resource.ts';
import type { ListMeta, ObjectMeta } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { newBadRequest } from '../../machinery/status/errors.ts';
import type { ServedVersion } from '../registry/served-resource.ts';

/** How much of each object a row carries. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Reads `includeObject`. Throws a BadRequest. */
export function includeObject(value: string | undefined): IncludeObject {
  if (value === undefined || value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  throw newBadRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

const fallback: readonly Column<KubeObject>[] = [
  { name: 'Name', type: 'string', format: 'name', cell: (object) => object.metadata.name ?? '' },
  {
    name: 'Created At',
    type: 'date',
    cell: (object) => object.metadata.creationTimestamp ?? '',
  },
];

function definitionOf(column: Column<KubeObject>): object {
  const { name, type, format = '', priority = 0, description = '' } = column;
  return { name, type, format, description, priority };
}

/** What a table is made for. */
export interface TableOptions {
  readonly served: ServedVersion | undefined;
  /** Columns of an object that is of no resource. */
  readonly columns?: readonly Column<KubeObject>[];
  readonly include: IncludeObject;
  readonly metaVersion: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Rows of a watch carry the columns in the first table only. */
  readonly withColumns: boolean;
}

/** Without annotations that a version adds in place of fields it does not have. */
function internalMetadata(item: KubeObject, served: ServedVersion | undefined): ObjectMeta {
  const { metadata } = storedForm(item, served);
  const hidden = served?.resource.definition.hiddenAnnotations;
  if (!hidden || !metadata.annotations) return metadata;
  const shown = Object.entries(metadata.annotations).filter(([name]) => !hidden.includes(name));
  const { annotations: _annotations, ...others } = metadata;
  return shown.length === 0 ? others : { ...others, annotations: Object.fromEntries(shown) };
}

/** An object's metadata alone, as `meta.k8s.io` shows it. */
export function partialMetadata(
  object: KubeObject,
  metaVersion: string,
  served: ServedVersion | undefined,
): object {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata: internalMetadata(object, served),
  };
}

function storedForm(item: KubeObject, served: ServedVersion | undefined): KubeObject {
  return served?.version.toStorage?.(mutableCopy<KubeObject>(item)) ?? item;
}

/** Columns are written for the stored version. */
function cellsOf(
  columns: readonly Column<KubeObject>[],
  item: KubeObject,
  { served, now }: TableOptions,
): unknown[] {
  const object = storedForm(item, served);
  return columns.map((column) => column.cell(object, now));
}

/** The objects as a `meta.k8s.io` Table. */
export function tableOf(items: readonly KubeObject[], metadata: ListMeta, options: TableOptions): object {
  const own = options.columns ?? options.served?.resource.definition.columns;
  const columns = own ?? fallback;
  const rows = items.map((item) => ({
    cells: cellsOf(columns, item, options),
    ...(options.include === 'None'
      ? { object: null }
      : {
          object:
            options.include === 'Object' ? item : partialMetadata(item, options.metaVersion, options.served),
        }),
  }));
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.metaVersion}`,
    metadata,
    columnDefinitions: options.withColumns ? columns.map(definitionOf) : null,
    // Upstream's table of kinds without columns of their own has no rows at all when it is empty.
    rows: !own && rows.length === 0 ? null : rows,
  };
}

/** A Status as a table, for clients that ask for one. */
export function isStatusObject(object: unknown): boolean {
  return isObject(object) && object['kind'] === 'Status';
}
