/** Base64 as Go's `base64.StdEncoding` reads it: line breaks are passed over, anything else must be whole and padded. */
export function checkBase64(text: string): { readonly canonical: string; readonly problem?: string } {
  if (text.length % 4 === 0 && /^[A-Za-z0-9+/]*$/.test(text)) return { canonical: text };
  const position = firstBadByte(text);
  if (position !== undefined)
    return { canonical: '', problem: `illegal base64 data at input byte ${position}` };
  return { canonical: Buffer.from(text, 'base64').toString('base64') };
}

function firstBadByte(text: string): number | undefined {
  let inGroup = 0;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '\r' || char === '\n') continue;
    if (char === '=') return padding(text, index, inGroup);
    if (!/[A-Za-z0-9+/]/.test(char)) return index;
    inGroup = (inGroup + 1) % 4;
  }
  return inGroup === 0 ? undefined : text.length - inGroup;
}

/** Only the padding that completes the last group may follow. */
function padding(text: string, index: number, inGroup: number): number | undefined {
  if (inGroup < 2) return index;
  const rest = text.slice(index + 1);
  const wanted = inGroup === 2 ? /^[\r\n]*=[\r\n]*/ : /^[\r\n]*/;
  const match = wanted.exec(rest)?.[0];
  if (match === undefined) return rest === '' ? text.length : index + 1;
  return match.length === rest.length ? undefined : index + 1 + match.length;
}
