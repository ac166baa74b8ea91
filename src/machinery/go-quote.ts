const GO_ESCAPES: Readonly<Record<string, string>> = { '\u0007': '\\a', '\u000b': '\\v' };

/** A string as Go's `%q` prints it. */
export function goQuote(text: string): string {
  return JSON.stringify(text).replaceAll(/\\u00[01][0-9a-f]|\u007f/g, (match) => {
    const char = match.length === 1 ? match : String.fromCharCode(Number.parseInt(match.slice(2), 16));
    return GO_ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
