/** Follows a body in chunks (RFC 9112, 7.1) without changing it. */
export interface ChunkScanner {
  /**
   * Reads on. `end`: how many of these bytes belong to the body (all of them while it goes on). `malformed`: this is no such
   * body; nothing of it may be handed on any more.
   */
  scan(bytes: Buffer): { readonly end: number; readonly state: 'more' | 'done' | 'malformed' };
  /** Bytes of payload seen so far. */
  readonly payload: number;
}

type Place =
  | 'size'
  | 'extension'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer'
  | 'trailer-lf'
  | 'last-lf';

const maxSizeDigits = 12;
const maxExtras = 16 * 1024;
const [tab, lf, cr, space, semicolon] = [0x09, 0x0a, 0x0d, 0x20, 0x3b];

/** Strict: lines end with CRLF, sizes are hexadecimal digits, and what follows the last chunk looks like fields. */
export function createChunkScanner(): ChunkScanner {
  let place: Place = 'size';
  let digits = 0;
  let left = 0;
  let payload = 0;
  let extras = 0;

  /** Takes one byte outside of data; false when it may not stand there. */
  function step(byte: number): boolean {
    switch (place) {
      case 'size': {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          left = left * 16 + digit;
          digits += 1;
          return digits <= maxSizeDigits;
        }
        if (digits === 0) return false;
        if (byte === cr) place = 'size-lf';
        else if (byte === semicolon || byte === space || byte === tab) place = 'extension';
        else return false;
        return true;
      }
      case 'extension':
        if (byte === cr) place = 'size-lf';
        else if (!isText(byte) || ++extras > maxExtras) return false;
        return true;
      case 'size-lf':
        place = left === 0 ? 'trailer-start' : 'data';
        return byte === lf;
      case 'data-cr':
        place = 'data-lf';
        return byte === cr;
      case 'data-lf':
        place = 'size';
        digits = 0;
        left = 0;
        return byte === lf;
      case 'trailer-start':
        if (byte === cr) place = 'last-lf';
        else place = 'trailer';
        return byte === cr || (isText(byte) && byte !== space && byte !== tab);
      case 'trailer':
        if (byte === cr) place = 'trailer-lf';
        else if (!isText(byte) || ++extras > maxExtras) return false;
        return true;
      case 'trailer-lf':
        place = 'trailer-start';
        return byte === lf;
      default:
        return byte === lf;
    }
  }

  return {
    scan(bytes) {
      for (let at = 0; at < bytes.length;) {
        if (place === 'data') {
          const taken = Math.min(left, bytes.length - at);
          left -= taken;
          payload += taken;
          at += taken;
          if (left === 0) place = 'data-cr';
          continue;
        }
        const last = place === 'last-lf';
        if (!step(bytes[at] ?? 0)) return { end: at, state: 'malformed' };
        at += 1;
        if (last) return { end: at, state: 'done' };
      }
      return { end: bytes.length, state: 'more' };
    },
    get payload() {
      return payload;
    },
  };
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isText(byte: number): boolean {
  return byte === tab || (byte >= space && byte !== 0x7f);
}
