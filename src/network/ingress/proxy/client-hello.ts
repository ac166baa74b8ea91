/**
 * Whether a TLS connection that begins with these bytes asks for a server name (RFC 8446, 4.1.2; RFC 6066, 3). `more`: that
 * cannot be said yet. What is no ClientHello, or comes in several records, counts as one that asks.
 */
export function asksForServerName(bytes: Buffer): 'yes' | 'no' | 'more' {
  if (bytes.length < 5) return 'more';
  if (bytes[0] !== 0x16) return 'yes';
  const end = 5 + bytes.readUInt16BE(3);
  if (bytes.length < end) return 'more';
  try {
    let at = 5;
    const length = bytes.readUIntBE(at + 1, 3);
    if (bytes[at] !== 1 || at + 4 + length > end) return 'yes';
    at += 4 + 2 + 32;
    at += 1 + bytes.readUInt8(at);
    at += 2 + bytes.readUInt16BE(at);
    at += 1 + bytes.readUInt8(at);
    const last = at + 2 + bytes.readUInt16BE(at);
    for (at += 2; at + 4 <= last; at += 4 + bytes.readUInt16BE(at + 2))
      if (bytes.readUInt16BE(at) === 0) return 'yes';
    return 'no';
  } catch (error) {
    if (error instanceof RangeError) return 'yes';
    throw error;
  }
}
