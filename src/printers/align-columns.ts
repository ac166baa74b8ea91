const padding = 3;
const leastWidth = 6;

/** Rows as a text table, aligned as kubectl aligns: three spaces between columns, nothing after the last one. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  return createColumnAligner().align(rows);
}

/** Aligns several batches of rows alike. */
export interface ColumnAligner {
  /** Columns are never narrower than in the batches before. */
  align(rows: readonly (readonly string[])[]): string;
}

/** An aligner that remembers widths, for tables of which rows come one after the other. */
export function createColumnAligner(): ColumnAligner {
  const widths: number[] = [];
  return {
    align(rows) {
      for (const row of rows) {
        row.slice(0, -1).forEach((cell, column) => {
          widths[column] = Math.max(widths[column] ?? leastWidth, textWidth(cell) + padding);
        });
      }
      return rows.map((row) => `${aligned(row, widths)}\n`).join('');
    },
  };
}

function aligned(row: readonly string[], widths: readonly number[]): string {
  const last = row.length - 1;
  return row
    .map((cell, column) =>
      column === last ? cell : cell + ' '.repeat((widths[column] ?? 0) - textWidth(cell)),
    )
    .join('');
}

/** How many characters a text has; a pair of surrogates is one. */
export function textWidth(text: string): number {
  return Array.from(text).length;
}
