/** One block of a PEM text. */
export interface PemBlock {
  readonly type: string;
  readonly headers: boolean;
  readonly bytes: Buffer;
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----[ \t]*\r?\n([\s\S]*?)-----END \1-----/g;

/** All blocks of a text, whatever stands between them. */
export function readPem(text: string): PemBlock[] {
  return [...text.matchAll(block)].map(([, type = '', body = '']) => {
    const headers = /^[^\n:]+: /.test(body);
    const encoded = headers ? body.slice(body.search(/\r?\n\r?\n/)) : body;
    return { type, headers, bytes: Buffer.from(encoded.replaceAll(/\s/g, ''), 'base64') };
  });
}

/** One block as text. */
export function writePem(type: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${type}-----\n${lines.join('\n')}\n-----END ${type}-----\n`;
}
