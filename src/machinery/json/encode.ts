/** JSON text that keeps bigint exact and the order of keys. Throws `RangeError` for a value nested too deep. */
export function encodeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch (error) {
    if (error instanceof TypeError) return encodeExactly(value);
    throw error;
  }
}

/** {@link encodeJson} as UTF-8. */
export function encodeJsonBytes(value: unknown): Buffer {
  return Buffer.from(encodeJson(value));
}

function encodeExactly(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(encodeExactly).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}:${encodeExactly(member)}`);
  return `{${members.join(',')}}`;
}
