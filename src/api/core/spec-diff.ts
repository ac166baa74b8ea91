import { encodeJson } from '../../machinery/json/encode.ts';

const CONTEXT = 3;

function lines(value: unknown): string[] {
  return JSON.stringify(JSON.parse(encodeJson(value)), undefined, 1).split('\n');
}

type Edit = ' ' | '-' | '+';

/** Hunks of JSON lines around everything that differs (upstream's `diff.Diff`); keys stay in their order. */
export function unifiedDiff(old: unknown, next: unknown): string {
  const edits = editScript(lines(old), lines(next));
  const hunks: string[] = [];
  for (const [from, to] of hunkRanges(edits)) {
    const count = (kind: Edit, end: number, start: number = 0): number =>
      edits.slice(start, end).filter(([edit]) => edit !== kind).length;
    const removed = `${count('+', from) + 1},${count('+', to, from)}`;
    const added = `${count('-', from) + 1},${count('-', to, from)}`;
    hunks.push(`@@ -${removed} +${added} @@`, ...edits.slice(from, to).map((edit) => edit.join('')));
  }
  return [...hunks, ''].join('\n');
}

function hunkRanges(edits: readonly (readonly [Edit, string])[]): (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const [index, [edit]] of edits.entries()) {
    if (edit === ' ') continue;
    const last = ranges.at(-1);
    const from = Math.max(0, index - CONTEXT);
    const to = Math.min(edits.length, index + 1 + CONTEXT);
    if (last && from <= last[1]) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

/** Removals and additions between the longest blocks that the texts share, as Python's difflib finds them. */
function editScript(before: readonly string[], after: readonly string[]): (readonly [Edit, string])[] {
  const { from, to, length } = longestBlock(before, after);
  if (length === 0) {
    return [...before.map((line) => ['-', line] as const), ...after.map((line) => ['+', line] as const)];
  }
  return [
    ...editScript(before.slice(0, from), after.slice(0, to)),
    ...before.slice(from, from + length).map((line) => [' ', line] as const),
    ...editScript(before.slice(from + length), after.slice(to + length)),
  ];
}

interface Block {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** The longest run of lines that both have; of several the first. */
function longestBlock(before: readonly string[], after: readonly string[]): Block {
  let best: Block = { from: 0, to: 0, length: 0 };
  let previous = new Uint32Array(after.length + 1);
  for (const [i, line] of before.entries()) {
    const current = new Uint32Array(after.length + 1);
    for (const [j, other] of after.entries()) {
      if (line !== other) continue;
      const length = (previous[j] ?? 0) + 1;
      current[j + 1] = length;
      if (length > best.length) best = { from: i - length + 1, to: j - length + 1, length };
    }
    previous = current;
  }
  return best;
}
