/** Offsets of the TTL fields of a DNS message's records (those of OPT left out); undefined when it is malformed. */
export function ttlOffsets(message: Buffer): readonly number[] | undefined {
  if (message.length < 12) return undefined;
  const questions = message.readUInt16BE(4);
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10);
  const offsets: number[] = [];
  let at = 12;
  for (let count = 0; count < questions; count++) at = skipName(message, at) + 4;
  for (let count = 0; count < records; count++) {
    at = skipName(message, at);
    if (at + 10 > message.length) return undefined;
    const optType = 41;
    if (message.readUInt16BE(at) !== optType) offsets.push(at + 4);
    at += 10 + message.readUInt16BE(at + 8);
  }
  return at > message.length ? undefined : offsets;
}

/** The offset behind a name; beyond the end when it is cut off. */
function skipName(message: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const length = message[at];
    if (length === undefined) return message.length + 1;
    if (length >= 0xc0) return at + 2;
    if (length === 0) return at + 1;
    at += length + 1;
  }
}

/** The RCODE of a message. */
export function responseCode(message: Buffer): number {
  return (message[3] ?? 0) & 0x0f;
}

/** A copy under another transaction's identifier. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}
