import { EVENT_ID, getScalarValue, parseEvents } from 'js-yaml';

export interface DuplicateKey {
  /** Where the value of the repeated key begins, counted from 1, as Go's YAML tells it. */
  readonly line: number;
  readonly key: string;
}

interface Collection {
  /** Of a mapping; a list has none. */
  readonly keys: Set<string> | undefined;
  expectsKey: boolean;
  /** A key that repeats, until its value comes. */
  repeated?: { readonly key: string; readonly at: number } | undefined;
}

/** The keys of mappings in a text that YAML can parse which repeat an earlier key of the same mapping. */
export function duplicateKeys(text: string): DuplicateKey[] {
  const found: DuplicateKey[] = [];
  const open: Collection[] = [];
  for (const event of parseEvents(text, {})) {
    const inside = open.at(-1);
    const isKey = inside?.keys !== undefined && inside.expectsKey;
    const start = 'start' in event ? event.start : 'valueStart' in event ? event.valueStart : -1;
    if (inside?.repeated && !isKey && event.type !== EVENT_ID.POP) {
      const { key, at } = inside.repeated;
      found.push({ line: lineOf(text, start < 0 ? at : start), key });
      inside.repeated = undefined;
    }
    switch (event.type) {
      case EVENT_ID.MAPPING:
        open.push({ keys: new Set(), expectsKey: true });
        break;
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.DOCUMENT:
        open.push({ keys: undefined, expectsKey: false });
        break;
      case EVENT_ID.POP: {
        open.pop();
        const outer = open.at(-1);
        if (outer) outer.expectsKey = !outer.expectsKey;
        break;
      }
      case EVENT_ID.SCALAR:
        if (isKey) {
          const key = getScalarValue(text, event);
          if (inside.keys.has(key)) inside.repeated = { key, at: event.valueStart };
          inside.keys.add(key);
        }
        if (inside) inside.expectsKey = !inside.expectsKey;
        break;
      default:
        if (inside) inside.expectsKey = !inside.expectsKey;
    }
  }
  return found;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split(/\r\n|\n|\r/).length;
}
