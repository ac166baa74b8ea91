import { JsonSyntaxError } from '../json/json-error.ts';
import { parseJson } from '../json/parse-json.ts';
import { parseYaml, type ParsedYaml } from './parse-yaml.ts';
import { YamlError } from './yaml-error.ts';

/** One document of a manifest file. */
export interface Manifest {
  readonly object: Record<string, unknown>;
  /** Where the document begins in the file, counted from 1. */
  readonly line: number;
  readonly file?: string;
  /** As {@link ParsedYaml.duplicates}. */
  readonly duplicates: readonly string[];
}

/**
 * Parses a file of YAML documents, each of which may be JSON; empty ones are passed over. A `List` stays one object.
 * Throws {@link YamlError}, which names the file and the line.
 */
export function parseManifests(text: string, options: { readonly file?: string } = {}): Manifest[] {
  return documentsOf(text).flatMap(({ body, line }) => {
    const source = { ...options, firstLine: line };
    const { value, duplicates } = /^\s*\{/.test(body)
      ? parseJsonDocument(body, source)
      : parseYaml(body, source);
    if (value === null || value === undefined) return [];
    if (typeof value !== 'object' || Array.isArray(value))
      throw new YamlError('a manifest must be an object with apiVersion and kind', { line, ...options });
    return [{ object: value as Record<string, unknown>, line, duplicates, ...options }];
  });
}

/** Splits at lines of `---`, as kubectl does. */
function documentsOf(text: string): { readonly body: string; readonly line: number }[] {
  const documents: { body: string; line: number }[] = [];
  let body: string[] = [];
  let start = 1;
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    if (!/^---(?:\s|$)/.test(line)) {
      body.push(line);
      return;
    }
    documents.push({ body: body.join('\n'), line: start });
    // What follows the marker on its line belongs to the document.
    body = [line.slice(3)];
    start = index + 1;
  });
  documents.push({ body: body.join('\n'), line: start });
  return documents.filter((document) => /^[^#\s]/m.test(document.body) || /\S/.test(document.body));
}

/** JSON that Go's JSON decoder refuses may still be YAML (`{a: 1}`). */
function parseJsonDocument(
  body: string,
  source: { readonly file?: string; readonly firstLine: number },
): ParsedYaml {
  try {
    return parseJson(body);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return parseYaml(body, source);
    throw error;
  }
}
