import type { StructuralSchema } from '../structural/structural-schema.ts';

/** A path into a schema, as upstream's `ValidFieldPath` reads it, or what is wrong with it. */
export type FieldPathResult =
  | { readonly path: string; readonly schema: StructuralSchema }
  | { readonly error: string };

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  "'": "'",
  '\\': '\\',
};

/** Reads `.spec.x` and, unless `notation` is `dots`, `.spec['x']`; every step must be a property or a map's value. */
export function resolveFieldPath(
  text: string,
  root: StructuralSchema,
  notation: 'any' | 'dots' = 'any',
): FieldPathResult {
  const tokens = splitPath(text);
  let schema = root;
  let path = '';
  let at = 0;
  while (at < tokens.length) {
    const opening = tokens[at] ?? '';
    if (opening === '[' && notation === 'dots') return { error: 'array notation is not allowed' };
    if (opening !== '[' && opening !== '.') return { error: `expected [ or . but got: ${opening}` };
    const token = tokens[at + 1];
    if (token === undefined) return { error: 'unexpected end of JSON path' };
    const name = opening === '.' ? { name: token } : unquote(token);
    if ('error' in name) return name;
    const next = step(schema, name.name);
    if (!next) return { error: 'does not refer to a valid field' };
    path = next.isKey ? `${path}[${name.name}]` : `${path}${path === '' ? '' : '.'}${name.name}`;
    schema = next.schema;
    at += 2;
    if (opening === '[') {
      const closing = tokens[at];
      if (closing === undefined) return { error: 'unexpected end of JSON path' };
      if (closing !== ']') return { error: `expected ] but got ${closing}` };
      at++;
    }
  }
  return { path, schema };
}

function step(
  schema: StructuralSchema,
  name: string,
): { readonly schema: StructuralSchema; readonly isKey: boolean } | undefined {
  if (schema.propertyNames.length > 0) {
    const property = schema.property(name);
    return property && { schema: property, isKey: false };
  }
  const values = schema.additionalProperties;
  return typeof values === 'object' ? { schema: values, isKey: true } : undefined;
}

function unquote(token: string): { readonly name: string } | { readonly error: string } {
  if (token.length < 2 || !token.startsWith("'") || !token.endsWith("'")) {
    return { error: `expected single quoted string but got ${token}` };
  }
  let error: string | undefined;
  const name = token.slice(1, -1).replaceAll(/\\(.)/g, (escape, char: string) => {
    const plain = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (plain === undefined) error = `invalid string literal: invalid escape char ${escape}`;
    return plain ?? '';
  });
  return error === undefined ? { name } : { error };
}

/** Delimiters (`.`, `[`, `]`), quoted texts and what stands between them. */
function splitPath(text: string): string[] {
  return text.match(/'(?:\\'|[^'])*'|[.[\]]|[^.[\]]+/g) ?? [];
}
