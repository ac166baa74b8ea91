import { parseYaml } from '../../../machinery/yaml/parse-yaml.ts';

/** How many shapes are remembered. */
const capacity = 64;
const quoted = /"(?:[^"\\\n]|\\[^\n])*"/g;
/** What no text of a template has: marks where a string was. */
const mark = '\ue000';

/** Makes a value of the strings that stood in a text, in order. */
type Shape = (strings: readonly string[]) => unknown;

/**
 * Reads YAML texts that differ in nothing but their quoted strings, as what one template makes of many objects does: the first
 * is parsed, in the others only the strings are looked at. The values are those of `parseYaml`, whatever the text; throws what it throws.
 */
export function repeatedYamlReader(): (text: string) => unknown {
  const shapes = new Map<string, Shape | undefined>();
  return (text) => {
    if (text.includes(mark)) return parseYaml(text).value;
    const strings: string[] = [];
    const outline = text.replaceAll(quoted, (literal) => `"${mark}${strings.push(literal) - 1}${mark}"`);
    let shape = shapes.get(outline);
    if (shape === undefined && !shapes.has(outline)) {
      shape = shapeOf(outline, strings.length);
      if (shapes.size >= capacity) shapes.clear();
      shapes.set(outline, shape);
    }
    const values = shape && plainStrings(strings);
    return shape && values ? shape(values) : parseYaml(text).value;
  };
}

/** The strings that the literals stand for, if YAML reads all of them as JSON does. */
function plainStrings(literals: readonly string[]): readonly string[] | undefined {
  const values: string[] = [];
  for (const literal of literals) {
    if (!literal.includes('\\')) values.push(literal.slice(1, -1));
    else if (unusualEscape.test(literal)) return undefined;
    else values.push(JSON.parse(literal) as string);
  }
  return values;
}

/** An escape that is not of JSON, or half of a pair. */
const unusualEscape = /\\(?:[^"\\/bfnrtu]|u(?![0-9a-fA-F]{4})|u[dD][89a-fA-F])/;

/** Undefined when not every mark came to be a string of its own: what was quoted there was part of something else. */
function shapeOf(outline: string, count: number): Shape | undefined {
  const seen = new Set<number>();
  const found = slot(parseYaml(outline).value, seen);
  return found && seen.size === count ? found : undefined;
}

function slot(value: unknown, seen: Set<number>): Shape | undefined {
  if (typeof value === 'string') return stringSlot(value, seen);
  if (typeof value !== 'object' || value === null) return () => value;
  if (Array.isArray(value)) {
    const items = value.map((item) => slot(item, seen));
    if (!items.every((item) => item !== undefined)) return undefined;
    return (strings) => items.map((item) => item(strings));
  }
  const members: [string, Shape][] = [];
  for (const [name, member] of Object.entries(value)) {
    const inner = name.includes(mark) || name === '__proto__' ? undefined : slot(member, seen);
    if (!inner) return undefined;
    members.push([name, inner]);
  }
  return (strings) => {
    const object: Record<string, unknown> = {};
    for (const [name, member] of members) object[name] = member(strings);
    return object;
  };
}

function stringSlot(value: string, seen: Set<number>): Shape | undefined {
  if (!value.includes(mark)) return () => value;
  const index = Number(value.slice(1, -1));
  if (value !== `${mark}${index}${mark}` || seen.has(index)) return undefined;
  seen.add(index);
  return (strings) => strings[index];
}
