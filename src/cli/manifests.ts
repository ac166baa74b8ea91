import type { KubeObject } from '../machinery/object.ts';
import { isObject, type JsonObject } from '../machinery/patch/json-value.ts';
import { parseManifests } from '../machinery/yaml/parse-manifests.ts';
import { checkManifest } from './check-manifest.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import { lineOfField } from './line-of-field.ts';
import { readSources, type SourceText } from './read-sources.ts';

/** One object of a manifest, and where it stands. */
export interface Manifest {
  readonly object: KubeObject;
  /** As it was named on the command line, or lies below what was named; `-` for standard input. */
  readonly file: string;
  /** Where its document begins, counted from 1. */
  readonly line: number;
}

export interface LoadOptions {
  /** Look into the folders of folders. */
  readonly recursive?: boolean;
  /** What is done about unknown and repeated fields. */
  readonly validation?: FieldValidation;
}

/** As `--validate` names them: refuse, warn of, or pass over unknown and repeated fields. */
export type FieldValidation = 'strict' | 'warn' | 'ignore';

interface Finding {
  readonly text: string;
  readonly tolerable: boolean;
}

/**
 * Reads manifests from files, folders and `-`; the items of a `List` become objects of their own. Every document is checked
 * before any is returned. Throws {@link CliError} that names each mistake with its file and line, or `YamlError`.
 */
export async function loadManifests(
  paths: readonly string[],
  context: Pick<CliContext, 'cwd' | 'stdin' | 'stderr'>,
  { recursive = false, validation = 'strict' }: LoadOptions = {},
): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  const findings: Finding[] = [];
  for (const path of paths) {
    for (const source of await readSources(path, context, { recursive })) {
      for (const document of parseManifests(source.text, { file: source.file })) {
        findings.push(...document.duplicates.map((problem) => repetition(problem, source, document.line)));
        for (const { object, path } of itemsOf(document.object)) {
          findings.push(...findingsIn(object, { source, line: document.line, path }));
          if (isKubeObject(object)) manifests.push({ object, file: source.file, line: document.line });
        }
      }
    }
  }
  judge(findings, validation, context);
  return manifests;
}

function judge(
  findings: readonly Finding[],
  validation: FieldValidation,
  context: Pick<CliContext, 'stderr'>,
): void {
  const fatal = findings.filter(({ tolerable }) => !tolerable || validation === 'strict');
  if (fatal.length > 0) {
    const onlyFields = fatal.every(({ tolerable }) => tolerable);
    throw new CliError(fatal.map(({ text }) => text).join('\n'), {
      ...(onlyFields && {
        hint: 'Nothing was sent. --validate=warn or --validate=ignore sends it all the same.',
      }),
    });
  }
  if (validation === 'warn') for (const { text } of findings) context.stderr.write(`Warning: ${text}\n`);
}

/** The objects of a `List` and of lists in it; any other object as it is. */
function itemsOf(
  object: JsonObject,
  prefix: string = '',
): { readonly object: JsonObject; readonly path: string }[] {
  const { kind, items } = object;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items))
    return [{ object, path: prefix }];
  return items.flatMap((item, position) =>
    itemsOf(isObject(item) ? item : {}, `${prefix}items[${position}].`),
  );
}

interface Place {
  readonly source: SourceText;
  readonly line: number;
  /** Of the object in its document, with a dot at the end; empty when it is the document. */
  readonly path: string;
}

function findingsIn(object: JsonObject, place: Place): Finding[] {
  const { metadata, kind } = object;
  const name = isObject(metadata) && typeof metadata['name'] === 'string' ? ` "${metadata['name']}"` : '';
  const subject = typeof kind === 'string' ? `${kind}${name}: ` : '';
  return checkManifest(object).map(({ message, path, tolerable }) => {
    const line = path === undefined ? place.line : lineInFile(place, `${place.path}${path}`);
    return { text: `${place.source.file}:${line}: ${subject}${message}`, tolerable };
  });
}

function lineInFile({ source, line }: Pick<Place, 'source' | 'line'>, path: string): number {
  const [first = '', ...rest] = source.text.split('\n').slice(line - 1);
  const end = rest.findIndex((text) => /^---(?:\s|$)/.test(text));
  const document = [first.replace(/^---/, '   '), ...(end < 0 ? rest : rest.slice(0, end))].join('\n');
  return (lineOfField(document, path) ?? 1) + line - 1;
}

/** YAML's parser tells the line of a repeated key, JSON's the path. */
function repetition(problem: string, source: SourceText, line: number): Finding {
  const [, yamlLine, text] = /^line (\d+): (.*)$/.exec(problem) ?? [];
  if (yamlLine !== undefined && text !== undefined)
    return { text: `${source.file}:${yamlLine}: ${text}`, tolerable: true };
  const path = /^duplicate field "(.*)"$/.exec(problem)?.[1] ?? '';
  return { text: `${source.file}:${lineInFile({ source, line }, path)}: ${problem}`, tolerable: true };
}

function isKubeObject(object: JsonObject): object is JsonObject & KubeObject {
  const { apiVersion, kind, metadata } = object;
  return typeof apiVersion === 'string' && typeof kind === 'string' && isObject(metadata);
}
