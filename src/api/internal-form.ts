/**
 * The types of a group's internal form, one line each: `Name: field …`. Upstream validates that form and prints it where a message
 * shows a value, with Go's names and with every field that is not set. A field is
 * - `Image` a string, `Port#` a number, `TTY!` a boolean, `Divisor%` a quantity: their zeros when not set,
 * - `Command?` anything that is null when not set, printed as it is,
 * - `Spec:PodSpec` a struct, `Exec*ExecAction` a pointer to one, `Ports[ContainerPort` a list of them,
 * - `+ProbeHandler` an embedded struct, whose fields stand here, `+ObjectMeta` metadata, which is printed as in JSON,
 * - `^HostPID!` a field that JSON has one level further up.
 *
 * JSON names that differ by more than case stand in parentheses: `EndpointsName(endpoints)`.
 */
export type InternalTypes = string;

type Json = Readonly<Record<string, unknown>>;
type Field = (value: Json, parent: Json) => readonly (readonly [string, unknown])[];

/** Prints values of these types as upstream's internal form does. */
export function internalForm(types: InternalTypes): (type: string, value: object) => object {
  let lines: ReadonlyMap<string, string> | undefined;
  const compiled = new Map<string, readonly Field[]>();
  const fieldsOf = (type: string): readonly Field[] => {
    const known = compiled.get(type);
    if (known) return known;
    lines ??= new Map(types.trim().split('\n').map(splitLine));
    const line = lines.get(type);
    if (line === undefined) throw new Error(`no internal type ${type}`);
    const fields = line.split(' ').map((text) => fieldOf(text, print));
    compiled.set(type, fields);
    return fields;
  };
  const print: Print = (type, value, parent) =>
    Object.fromEntries(fieldsOf(type).flatMap((field) => field(value, parent)));
  return (type, value) => print(type, lowered(value), {});
}

type Print = (type: string, value: Json, parent: Json) => object;

function splitLine(line: string): [string, string] {
  const at = line.indexOf(': ');
  return [line.slice(0, at), line.slice(at + 2)];
}

const zeros: Readonly<Record<string, unknown>> = { '': '', '#': 0, '!': false, '%': '0', '?': null };

function fieldOf(text: string, print: Print): Field {
  if (text === '+ObjectMeta') return ({ metadata }) => metadataFields(metadata);
  if (text.startsWith('+')) return (value, parent) => Object.entries(print(text.slice(1), value, parent));
  const [, above, name = '', json = name, kind = '', type = ''] =
    /^(\^?)(\w+)(?:\((\w+)\))?([#!%?:*[]?)(\w*)$/.exec(text) ?? [];
  const key = json.toLowerCase();
  if (kind in zeros) return (value, parent) => [[name, (above ? parent : value)[key] ?? zeros[kind]]];
  const item = (one: unknown, value: Json): object => print(type, lowered(one as object), value);
  if (kind === ':') return (value) => [[name, item(value[key] ?? {}, value)]];
  if (kind === '*') return (value) => [[name, value[key] ? item(value[key], value) : null]];
  return (value) => {
    const list = value[key] as readonly unknown[] | undefined;
    return [[name, list?.map((one) => item(one, value)) ?? null]];
  };
}

/** By lower-case names, so that Go's find JSON's. */
function lowered(value: object): Json {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]));
}

const metadataOrder = [
  'name',
  'generateName',
  'namespace',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
];

function metadataFields(metadata: unknown): (readonly [string, unknown])[] {
  const members = (metadata ?? {}) as Json;
  return metadataOrder.flatMap((name) =>
    members[name] === undefined ? [] : [[name, members[name]] as const],
  );
}
