import { toCompactJson } from '../json/to-json.ts';

/** A value of JSON in a cell or a line: strings bare, everything else as JSON. */
export function scalarText(value: unknown): string {
  return typeof value === 'string' ? value : toCompactJson(value);
}
