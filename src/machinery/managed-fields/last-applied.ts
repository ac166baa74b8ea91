import { encodeJson } from '../json/encode.ts';
import { parseJson } from '../json/parse-json.ts';
import type { Structure } from '../structure/structure.ts';
import { compareTyped } from './compare.ts';
import { fieldSetOf } from './field-set-of.ts';
import { subtractSet, type FieldSet } from './field-set.ts';
import { membersOf } from './typed-value.ts';
import { TypedError, validateTyped } from './validate-typed.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
const annotationsLimit = 256 * 1024;

type Members = Readonly<Record<string, unknown>>;

/**
 * The fields that client-side apply set and that still have its values; undefined when the object tells of no client-side apply in
 * this version.
 */
export function lastAppliedFields(
  live: unknown,
  apiVersion: string,
  structure: Structure,
): FieldSet | undefined {
  const text = annotationsOf(live)?.[annotation];
  if (typeof text !== 'string' || text === '') return undefined;
  const applied = attemptParse(text);
  if (membersOf(applied)?.['apiVersion'] !== apiVersion) return undefined;
  try {
    validateTyped(applied, structure);
  } catch (error) {
    if (error instanceof TypedError) return undefined;
    throw error;
  }
  const { added, modified, removed } = compareTyped(applied, live, structure);
  return [modified, added, removed].reduce(subtractSet, fieldSetOf(applied, structure));
}

function attemptParse(text: string): unknown {
  try {
    return parseJson(Buffer.from(text)).value;
  } catch {
    return undefined;
  }
}

/** The object with kubectl's annotation brought up to what it applies now; the object itself when it has none. */
export function withLastApplied(object: unknown, config: Members): unknown {
  const annotations = annotationsOf(object);
  const members = membersOf(object);
  if (!members || !annotations?.[annotation]) return object;
  const others = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== annotation));
  const updated = { ...others, [annotation]: `${goJson(withoutAnnotation(config))}\n` };
  const fits = sizeOf(updated) <= annotationsLimit;
  return {
    ...members,
    metadata: { ...membersOf(members['metadata']), annotations: fits ? updated : others },
  };
}

function annotationsOf(object: unknown): Members | undefined {
  return membersOf(membersOf(membersOf(object)?.['metadata'])?.['annotations']);
}

function withoutAnnotation(config: Members): Members {
  const annotations = annotationsOf(config);
  if (!annotations) return config;
  const others = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== annotation));
  return { ...config, metadata: { ...membersOf(config['metadata']), annotations: others } };
}

function sizeOf(annotations: Members): number {
  let size = 0;
  for (const [name, value] of Object.entries(annotations))
    size += Buffer.byteLength(name) + Buffer.byteLength(String(value));
  return size;
}

/** JSON as Go writes it: members by name, and `<`, `>` and `&` escaped. */
function goJson(value: unknown): string {
  return encodeJson(sorted(value)).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  const members = membersOf(value);
  if (!members) return value;
  return Object.fromEntries(
    Object.keys(members)
      .toSorted()
      .map((name) => [name, sorted(members[name])]),
  );
}
