import {
  defineMappingTag,
  defineScalarTag,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  Schema,
  seqTag,
  strTag,
  YAMLException,
  type TagDefinition,
} from 'js-yaml';
import { maxDepth } from '../json/json-reader.ts';
import { setOwn } from '../json/own-property.ts';
import { duplicateKeys } from './duplicate-keys.ts';
import { resolveScalar, type ScalarMeaning } from './resolve-scalar.ts';
import { YamlError } from './yaml-error.ts';

export interface ParsedYaml {
  readonly value: unknown;
  /** Keys that occur more than once, in upstream's words: `line 7: key "a" already set in map`. The last one counts. */
  readonly duplicates: readonly string[];
}

/** Where a text stands, for errors. */
export interface YamlSource {
  readonly file?: string;
  /** The line of the text's first line in the file, counted from 1. */
  readonly firstLine?: number;
}

/** Values that a document may expand to through aliases. */
const maxNodes = 1_000_000;

/**
 * Parses the first YAML 1.1 document of a text as sigs.k8s.io/yaml does, into what JSON can hold: keys are strings, `yes` is true, `0777`
 * is 511, integers beyond 2^53 are bigint, times stay text. Throws {@link YamlError}.
 */
export function parseYaml(text: string, source: YamlSource = {}): ParsedYaml {
  const firstLine = source.firstLine ?? 1;
  let repeated = false;
  const schema = schemaWith(() => {
    repeated = true;
  });
  try {
    const [value = null] = loadAll(text, { schema, maxDepth: maxDepth / 2 });
    if (text.includes('*') && countNodes(value, maxNodes) >= maxNodes)
      throw new YamlError('document contains excessive aliasing', { line: firstLine, file: source.file });
    const duplicates = repeated ? duplicateKeys(text) : [];
    return {
      value,
      duplicates: duplicates.map(
        ({ line, key }) => `line ${line + firstLine - 1}: key "${key}" already set in map`,
      ),
    };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError(error.reason, { line: (error.mark?.line ?? 0) + firstLine, file: source.file });
  }
}

function schemaWith(onDuplicate: () => void): Schema {
  const map = defineMappingTag<Record<string, unknown>>('tag:yaml.org,2002:map', {
    create: () => ({}),
    has: () => false,
    addPair(carrier, key, value) {
      const name = keyName(key);
      if (name === undefined) return 'a mapping key must be a string, a number or a boolean';
      if (Object.hasOwn(carrier, name)) onDuplicate();
      setOwn(carrier, name, value);
      return '';
    },
    keys: (result) => Object.keys(result),
    get: (result, key) => result[keyName(key) ?? ''],
    identify: () => false,
  });
  return new Schema([...commonTags, map]);
}

function keyName(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  return typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean'
    ? `${key}`
    : undefined;
}

function implicitTag(name: string, type: ScalarMeaning['type'], firstChars: string): TagDefinition {
  return defineScalarTag<unknown>(`tag:yaml.org,2002:${name}`, {
    implicit: true,
    implicitFirstChars: ['', ...firstChars.split('')],
    resolve(text) {
      const meaning = resolveScalar(text);
      if (meaning.type !== type) return NOT_RESOLVED;
      return 'value' in meaning ? meaning.value : null;
    },
    identify: () => false,
  });
}

const commonTags: readonly TagDefinition[] = [
  strTag,
  seqTag,
  mergeTag,
  implicitTag('null', 'null', '~nN'),
  implicitTag('bool', 'bool', 'yYnNtTfFoO'),
  implicitTag('int', 'number', '+-0123456789.'),
  defineScalarTag<unknown>('tag:yaml.org,2002:float', {
    resolve(text) {
      const meaning = resolveScalar(text);
      return meaning.type === 'number' ? Number(meaning.value) : NOT_RESOLVED;
    },
    identify: () => false,
  }),
  defineScalarTag<string>('tag:yaml.org,2002:binary', {
    resolve: (text) => Buffer.from(text, 'base64').toString('utf8'),
    identify: () => false,
  }),
];

/** Stops at `limit`. */
function countNodes(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null) return 1;
  let count = 1;
  for (const item of Object.values(value)) {
    count += countNodes(item, limit - count);
    if (count >= limit) return count;
  }
  return count;
}
