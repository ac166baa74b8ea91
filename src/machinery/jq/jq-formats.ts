import { JqError } from './jq-error.ts';
import { toJson, typeOf } from './jq-value.ts';

/** `@json`, `@base64` and the like of one value. Throws {@link JqError}. */
export function applyFormat(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : toJson(value);
  switch (name) {
    case '@text':
      return text;
    case '@json':
      return toJson(value);
    case '@base64':
      return Buffer.from(text).toString('base64');
    case '@base64d':
      return Buffer.from(text, 'base64').toString();
    case '@uri':
      return encodeURIComponent(text).replaceAll(
        /[!'()*]/g,
        (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
      );
    case '@html':
      return text
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll("'", '&#39;')
        .replaceAll('"', '&quot;');
    case '@csv':
      return cells(value, '@csv', (cell) => `"${cell.replaceAll('"', '""')}"`).join(',');
    case '@tsv':
      return cells(value, '@tsv', (cell) =>
        cell.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r'),
      ).join('\t');
    case '@sh':
      return (Array.isArray(value) ? (value as unknown[]) : [value])
        .map((item) => (typeof item === 'string' ? `'${item.replaceAll("'", "'\\''")}'` : toJson(item)))
        .join(' ');
    default:
      throw new JqError(`${name} is not a valid format`);
  }
}

function cells(value: unknown, name: string, quote: (text: string) => string): string[] {
  if (!Array.isArray(value))
    throw new JqError(`${typeOf(value)} cannot be ${name}-formatted, only an array can be`);
  return value.map((cell: unknown) => {
    if (cell === null) return '';
    return typeof cell === 'string' ? quote(cell) : toJson(cell);
  });
}
