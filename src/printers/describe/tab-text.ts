import { textWidth } from '../align-columns.ts';

const padding = 2;
const indentation = '  ';

/** Lines with tabs between their cells, aligned as Go's tabwriter aligns: a column is as wide as the lines around it need. */
export interface TabText {
  /** One line; `level` indents it. */
  line(level: number, ...cells: readonly string[]): void;
  /** The aligned text. */
  text(): string;
}

export function createTabText(): TabText {
  const lines: (readonly string[])[] = [];
  return {
    line(level, ...cells) {
      const [first = '', ...rest] = cells;
      lines.push([indentation.repeat(level) + first, ...rest]);
    },
    text: () => aligned(lines),
  };
}

/**
 * A column reaches over neighbouring lines that have a cell after it:
 *
 *     Name:   web        ┐ one block
 *     Node:   a          ┘
 *     Containers:        ends it
 *       Image:  nginx    the next block
 */
function aligned(lines: readonly (readonly string[])[]): string {
  const widths = lines.map((): number[] => []);
  const columns = Math.max(0, ...lines.map((cells) => cells.length - 1));
  for (let column = 0; column < columns; column += 1) {
    let start = 0;
    while (start < lines.length) {
      let end = start;
      let width = 0;
      for (; column < (lines[end]?.length ?? 0) - 1; end += 1)
        width = Math.max(width, textWidth(lines[end]?.[column] ?? '') + padding);
      for (let line = start; line < end; line += 1) widths[line]?.push(width);
      start = end + 1;
    }
  }
  return lines
    .map((cells, line) => {
      const padded = cells.map((cell, column) => cell.padEnd(widths[line]?.[column] ?? 0));
      return `${padded.join('').trimEnd()}\n`;
    })
    .join('');
}
