const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

const ESCAPES: readonly (readonly [string, string])[] = [
  ['__', '__underscores__'],
  ['.', '__dot__'],
  ['-', '__dash__'],
  ['/', '__slash__'],
];

/** A property's name as expressions write it (`a-b` is `a__dash__b`); undefined when they cannot. */
export function escapeFieldName(name: string): string | undefined {
  if (RESERVED.has(name)) return `__${name}__`;
  if (!/^[A-Za-z_][A-Za-z0-9_./-]*$/.test(name)) return undefined;
  return name.replaceAll(/__|[./-]/g, (part) => ESCAPES.find(([plain]) => plain === part)?.[1] ?? part);
}

/** A field by the name in an expression: words that CEL reserves may also be written plainly. */
export function lookUpField<T>(fields: ReadonlyMap<string, T> | undefined, name: string): T | undefined {
  return fields?.get(name) ?? (RESERVED.has(name) ? fields?.get(`__${name}__`) : undefined);
}
