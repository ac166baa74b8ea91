import type { KubeObject } from '../machinery/object.ts';
import { createColumnAligner } from './align-columns.ts';
import { formatLabels } from './format-labels.ts';
import { scalarText } from '../machinery/jsonpath/scalar-text.ts';

/** A `meta.k8s.io/v1` Table as the server answers it. */
export interface ServerTable {
  readonly kind: 'Table';
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  /** Absent in the later tables of a watch. */
  readonly columnDefinitions?: readonly TableColumn[] | null;
  readonly rows: readonly TableRow[] | null;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  /** 0 is always shown; others only in wide output. */
  readonly priority?: number;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  /** The object, or its metadata alone. */
  readonly object?: KubeObject | null;
}

export interface TableStyle {
  readonly wide?: boolean;
  readonly noHeaders?: boolean;
  readonly withNamespace?: boolean;
  /** Put before each name: `deployment.apps`. */
  readonly namePrefix?: string;
  readonly showLabels?: boolean;
  /** Labels with a column of their own. */
  readonly labelColumns?: readonly string[];
}

/** Prints the tables of one resource type, one after the other, as kubectl does. */
export interface TablePrinter {
  /** The text of the rows, below a header the first time. */
  print(table: ServerTable): string;
}

export function createTablePrinter(style: TableStyle = {}): TablePrinter {
  const aligner = createColumnAligner();
  let columns: readonly TableColumn[] = [];
  let headed = style.noHeaders === true;
  return {
    print(table) {
      if (table.columnDefinitions) columns = table.columnDefinitions;
      const rows = (table.rows ?? []).map((row) => rowCells(row, columns, style));
      if (!headed && rows.length > 0) {
        headed = true;
        rows.unshift(headerCells(columns, style));
      }
      return aligner.align(rows);
    },
  };
}

function isShown({ priority = 0 }: TableColumn, style: TableStyle): boolean {
  return priority === 0 || style.wide === true;
}

function headerCells(columns: readonly TableColumn[], style: TableStyle): string[] {
  return [
    ...(style.withNamespace ? ['NAMESPACE'] : []),
    ...columns.filter((column) => isShown(column, style)).map(({ name }) => name.toUpperCase()),
    ...(style.labelColumns ?? []).map((label) => label.slice(label.lastIndexOf('/') + 1).toUpperCase()),
    ...(style.showLabels ? ['LABELS'] : []),
  ];
}

function rowCells(row: TableRow, columns: readonly TableColumn[], style: TableStyle): string[] {
  const metadata = row.object?.metadata;
  const labels = metadata?.labels ?? {};
  const cells = row.cells
    .filter((_cell, position) => isShown(columns[position] ?? { name: '', type: '' }, style))
    .map(cellText);
  const [name = '', ...others] = cells;
  return [
    ...(style.withNamespace ? [metadata?.namespace ?? ''] : []),
    style.namePrefix === undefined ? name : `${style.namePrefix}/${name}`,
    ...others,
    ...(style.labelColumns ?? []).map((label) => labels[label] ?? ''),
    ...(style.showLabels ? [formatLabels(metadata?.labels)] : []),
  ];
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  const text = scalarText(cell);
  const end = text.search(/[\f\n\r]/);
  return (end < 0 ? text : `${text.slice(0, end)}...`).replaceAll('\u001B', '^[');
}
