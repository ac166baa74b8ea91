import { encodeJson } from '../../machinery/json/encode.ts';

const CONTEXT = 3;

function lines(value: unknown): string[] {
  return JSON.stringify(JSON.parse(encodeJson(value)), undefined, 1).split('\n');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}

/** A unified diff of two values as JSON with sorted keys; people read it, programs do not. */
export function specDiff(old: unknown, next: unknown): string {
  return unifiedDiff(sortKeys(old), sortKeys(next));
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

/** The shortest way from one text to the other, removals before additions. */
function editScript(before: readonly string[], after: readonly string[]): (readonly [Edit, string])[] {
  const common = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1) {
    const row = common[i] ?? new Uint32Array(0);
    for (let j = after.length - 1; j >= 0; j -= 1) {
      row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: (readonly [Edit, string])[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [left, right] = [before[i], after[j]];
    if (left !== undefined && left === right) {
      edits.push([' ', left]);
      [i, j] = [i + 1, j + 1];
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push(['-', left]);
      i += 1;
    } else {
      edits.push(['+', right ?? '']);
      j += 1;
    }
  }
  return edits;
}
