import type { KubeObject } from '../machinery/object.ts';
import { isObject, type JsonObject } from '../machinery/patch/json-value.ts';
import { parseJson } from '../machinery/json/parse-json.ts';
import { toCompactJson } from '../machinery/json/to-json.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The object with the annotation by which the next `apply`, Kanoe's or kubectl's, knows what this one wanted. */
export function withLastApplied(object: KubeObject): KubeObject {
  const { [annotation]: _previous, ...annotations } = object.metadata.annotations ?? {};
  const plain = { ...object, metadata: { ...object.metadata, annotations } };
  const configuration = `${toCompactJson(plain)}\n`;
  return {
    ...plain,
    metadata: { ...plain.metadata, annotations: { ...annotations, [annotation]: configuration } },
  };
}

/** What was applied last; undefined for an object that was made in another way. */
export function lastApplied(object: KubeObject): JsonObject | undefined {
  const text = object.metadata.annotations?.[annotation];
  if (text === undefined) return undefined;
  const { value } = parseJson(text);
  return isObject(value) ? value : undefined;
}
