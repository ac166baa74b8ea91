import type { KubeObject } from '../../machinery/object.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import { describeLabels } from './describe-metadata.ts';
import { scalarText } from '../../machinery/jsonpath/scalar-text.ts';
import type { TabText } from './tab-text.ts';

const shownAbove = new Set(['name', 'namespace', 'labels', 'annotations', 'managedFields']);

/** An object of any kind: its fields, with their names as words. */
export function describeGeneric(text: TabText, object: KubeObject): void {
  const { apiVersion, kind, metadata, ...content } = object;
  text.line(0, 'Name:', metadata.name ?? '');
  text.line(0, 'Namespace:', metadata.namespace ?? '');
  describeLabels(text, object);
  text.line(0, 'API Version:', apiVersion);
  text.line(0, 'Kind:', kind);
  const rest = Object.fromEntries(Object.entries(metadata).filter(([name]) => !shownAbove.has(name)));
  describeFields(text, 0, { metadata: rest, ...content });
}

function describeFields(text: TabText, level: number, fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const label = `${fieldLabel(name)}:`;
    if (Array.isArray(value)) {
      text.line(level, label);
      describeItems(text, level + 1, value);
    } else if (isObject(value)) {
      text.line(level, label);
      describeFields(text, level + 1, value);
    } else {
      text.line(level, label, scalarText(value));
    }
  }
}

function describeItems(text: TabText, level: number, items: readonly unknown[]): void {
  for (const item of items) {
    if (isObject(item)) describeFields(text, level, item);
    else text.line(level, scalarText(item));
  }
}

/** `creationTimestamp` → `Creation Timestamp`; names that are no camel case stay. */
function fieldLabel(name: string): string {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) return name;
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');
  return words
    .split(' ')
    .map((word) =>
      ['uid', 'api', 'ip', 'ca'].includes(word.toLowerCase())
        ? word.toUpperCase()
        : word.charAt(0).toUpperCase() + word.slice(1),
    )
    .join(' ');
}
