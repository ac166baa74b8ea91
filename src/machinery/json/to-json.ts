/** JSON as `kubectl -o json` writes it: four spaces, names in ascending order, exact long integers. Ends with a line break. */
export function toJson(value: unknown): string {
  return `${jsonText(value, '')}\n`;
}

/** JSON on one line with names in ascending order, as Go's encoder writes a map: safe inside HTML, too. */
export function toCompactJson(value: unknown): string {
  return jsonText(value, undefined).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function jsonText(value: unknown, indent: string | undefined): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const inner = indent === undefined ? undefined : `${indent}    `;
  const colon = indent === undefined ? ':' : ': ';
  const parts = Array.isArray(value)
    ? value.map((item) => jsonText(item, inner))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) => `${JSON.stringify(name)}${colon}${jsonText(member, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return `${open}${close}`;
  if (indent === undefined) return `${open}${parts.join(',')}${close}`;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}
