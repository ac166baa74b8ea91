import { EVENT_ID, getScalarValue, parseEvents } from 'js-yaml';
import { fieldPath } from '../machinery/json/parse-json.ts';

interface Collection {
  readonly type: 'mapping' | 'sequence' | 'document';
  /** A mapping's current key, or a sequence's current index. */
  step: string | number;
  expectsKey: boolean;
}

/**
 * The line of a field in a YAML or JSON document, counted from 1; of a repeated one the last. Undefined when the document has no
 * such field. `path` is written as in messages: `spec.containers[0].name`.
 */
export function lineOfField(document: string, path: string): number | undefined {
  let line: number | undefined;
  const open: Collection[] = [];
  const finishValue = (): void => {
    const inside = open.at(-1);
    if (inside?.type === 'mapping') inside.expectsKey = true;
    if (inside?.type === 'sequence') inside.step = Number(inside.step) + 1;
  };
  for (const event of parseEvents(document, {})) {
    const inside = open.at(-1);
    if (event.type === EVENT_ID.POP) {
      open.pop();
      finishValue();
    } else if (event.type === EVENT_ID.DOCUMENT) {
      open.push({ type: 'document', step: '', expectsKey: false });
    } else if (event.type === EVENT_ID.MAPPING) {
      open.push({ type: 'mapping', step: '', expectsKey: true });
    } else if (event.type === EVENT_ID.SEQUENCE) {
      open.push({ type: 'sequence', step: 0, expectsKey: false });
    } else if (event.type === EVENT_ID.SCALAR && inside?.type === 'mapping' && inside.expectsKey) {
      inside.step = getScalarValue(document, event);
      inside.expectsKey = false;
      const steps = open.filter(({ type }) => type !== 'document').map(({ step }) => step);
      if (fieldPath(steps) === path) line = lineAt(document, event.valueStart);
    } else {
      finishValue();
    }
  }
  return line;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
