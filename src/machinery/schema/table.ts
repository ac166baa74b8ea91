import {
  messageSchema,
  type FieldSchema,
  type FieldType,
  type MessageSchema,
  type SchemaTable,
} from './schema.ts';
import { tableJson } from './table.gen.ts';

interface FurtherProperties {
  readonly e?: readonly string[];
  readonly d?: unknown;
  readonly l?: 'atomic' | 'set' | 'map';
  readonly k?: readonly string[];
  readonly m?: 'atomic' | 'granular';
  readonly s?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly g?: string;
  readonly t?: readonly number[];
}

type FieldRow = readonly [
  name: string,
  number: number,
  type: string,
  flags: number,
  further?: FurtherProperties,
];

interface MessageRow {
  readonly f: readonly FieldRow[];
  readonly m?: 'atomic' | 'granular';
  readonly u?: readonly unknown[];
  readonly k?: readonly [group: string, version: string, kind: string] | '*';
}

interface TableDocument {
  readonly packages: readonly string[];
  readonly messages: Readonly<
    Record<string, Readonly<Record<string, readonly FieldRow[] | MessageRow | undefined>> | undefined>
  >;
}

const simpleTypes: Readonly<Record<string, FieldType>> = {
  s: { type: 'string' },
  b: { type: 'bool' },
  y: { type: 'bytes' },
  i: { type: 'int32' },
  l: { type: 'int64' },
  d: { type: 'double' },
  t: { type: 'time' },
  u: { type: 'microTime' },
  D: { type: 'duration' },
  q: { type: 'quantity' },
  I: { type: 'intOrString' },
  a: { type: 'any' },
  r: { type: 'raw' },
  f: { type: 'fieldsV1' },
};

let kubernetes: SchemaTable | undefined;

/** The table of every kind of Kubernetes 1.36; parsed by the first lookup, shared by the process. */
export function kubernetesSchema(): SchemaTable {
  kubernetes ??= openTable(tableJson);
  return kubernetes;
}

function openTable(json: string): SchemaTable {
  const compiled = new Map<string, MessageSchema>();
  let document: TableDocument | undefined;
  let indexes: ReadonlyMap<string, string> | undefined;

  const rowOf = (name: string): readonly FieldRow[] | MessageRow | undefined => {
    document ??= JSON.parse(json) as TableDocument;
    indexes ??= new Map(document.packages.map((from, index) => [from, String(index)]));
    const dot = name.lastIndexOf('.');
    const index = indexes.get(name.slice(0, dot));
    return index === undefined ? undefined : document.messages[index]?.[name.slice(dot + 1)];
  };

  return {
    has: (name) => compiled.has(name) || rowOf(name) !== undefined,
    get(name) {
      const known = compiled.get(name);
      if (known) return known;
      const row = rowOf(name);
      if (!row || !document) throw new Error(`no schema of ${name}`);
      const message = compileMessage(name, row, document.packages);
      compiled.set(name, message);
      return message;
    },
  };
}

function compileMessage(
  name: string,
  row: readonly FieldRow[] | MessageRow,
  packages: readonly string[],
): MessageSchema {
  const { f, m, u, k } = isFieldRows(row) ? { f: row } : row;
  const from = name.slice(0, name.lastIndexOf('.'));
  const fields = f.map((field) => compileField(field, from, packages));
  return messageSchema(name, fields, {
    ...(m && { mapType: m }),
    ...(u && { unions: u }),
    ...(k && { groupVersionKind: k === '*' ? 'every' : { group: k[0], version: k[1], kind: k[2] } }),
  });
}

function isFieldRows(row: readonly FieldRow[] | MessageRow): row is readonly FieldRow[] {
  return Array.isArray(row);
}

function compileField(row: FieldRow, from: string, packages: readonly string[]): FieldSchema {
  const [name, number, type, flags, further = {}] = row;
  return {
    name,
    of: compileType(type, from, packages),
    number,
    pointer: (flags & 1) !== 0,
    omitempty: (flags & 2) !== 0,
    required: (flags & 4) !== 0,
    omitzero: (flags & 8) !== 0,
    ...(further.t && { through: further.t }),
    ...(further.e && { enum: further.e }),
    ...(further.d !== undefined && { default: further.d }),
    ...(further.l && { listType: further.l }),
    ...(further.k && { listMapKeys: further.k }),
    ...(further.m && { mapType: further.m }),
    ...(further.s && { patchStrategy: further.s }),
    ...(further.g && { patchMergeKey: further.g }),
  };
}

/** `code` is `[]`, `{}` or `w` (wrapped) before another, a letter, or `INDEX.Name` of a message (`.Name`: same package). */
function compileType(code: string, from: string, packages: readonly string[]): FieldType {
  const simple = simpleTypes[code];
  if (simple) return simple;
  const message = (reference: string): string => {
    const dot = reference.indexOf('.');
    return `${dot === 0 ? from : packages[Number(reference.slice(0, dot))]}${reference.slice(dot)}`;
  };
  if (code.startsWith('[]')) return { type: 'list', items: compileType(code.slice(2), from, packages) };
  if (code.startsWith('{}')) return { type: 'map', values: compileType(code.slice(2), from, packages) };
  if (code.startsWith('w[]'))
    return { type: 'list', items: compileType(code.slice(3), from, packages), wrapped: true };
  if (code.startsWith('U')) return { type: 'schemaOrList', message: message(code.slice(1)) };
  if (code.startsWith('B')) return { type: 'schemaOrBool', message: message(code.slice(1)) };
  if (code.startsWith('S')) return { type: 'schemaOrStrings', message: message(code.slice(1)) };
  return { type: 'message', message: message(code) };
}
