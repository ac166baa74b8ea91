/** Rows as a text table: columns as wide as their widest cell, three spaces apart, nothing after the last one. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    });
  }
  return rows.map((row) => `${alignedRow(row, widths)}\n`).join('');
}

function alignedRow(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      if (column === row.length - 1) return cell;
      return cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell) + 3);
    })
    .join('');
}

function displayWidth(text: string): number {
  return [...text].length;
}
