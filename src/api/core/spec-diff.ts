function lines(value: unknown): string[] {
  return JSON.stringify(sortKeys(value), undefined, 1).split('\n');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}

const context = 3;

/** One unified hunk of JSON lines around everything that differs; people read it, programs do not. */
export function specDiff(old: unknown, next: unknown): string {
  const before = lines(old);
  const after = lines(next);
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < Math.min(before.length, after.length) - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  ) {
    end += 1;
  }
  const from = Math.max(0, start - context);
  const removed = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  const tail = before.slice(before.length - end, before.length - end + context);
  const head = before.slice(from, start);
  const size = (changed: string[]): number => head.length + changed.length + tail.length;
  return [
    `@@ -${from + 1},${size(removed)} +${from + 1},${size(added)} @@`,
    ...head.map((line) => ` ${line}`),
    ...removed.map((line) => `-${line}`),
    ...added.map((line) => `+${line}`),
    ...tail.map((line) => ` ${line}`),
    '',
  ].join('\n');
}
