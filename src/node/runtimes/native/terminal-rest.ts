import { readFile } from 'node:fs/promises';

const pieceSize = 255;
const newline = 10;
const carriageReturn = 13;

/**
 * What a terminal still held when crun saw its process end. crun learns of the two in any order; when the end comes first, it
 * puts the rest into its log, in pieces of up to 255 bytes with a line feed after each, which is not part of them (libcrun's
 * `flush_fd_to_err`). Empty when there is no log.
 */
export async function terminalRest(logFile: string): Promise<Buffer> {
  let log: Buffer;
  try {
    log = await readFile(logFile);
  } catch {
    return Buffer.alloc(0);
  }
  const rest = withoutEntries(log);
  return rest.includes('\r\n') ? withoutBareLineFeeds(rest) : joinedPieces(rest);
}

/** A terminal in its usual mode writes a carriage return before each line feed: the others are those after the pieces. */
function withoutBareLineFeeds(text: Buffer): Buffer {
  return text.filter((byte, index) => byte !== newline || text[index - 1] === carriageReturn) as Buffer;
}

function joinedPieces(text: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let rest = text; rest.length > 0;) {
    const whole = rest.length > pieceSize && rest[pieceSize] === newline;
    const size = whole ? pieceSize : rest.at(-1) === newline ? rest.length - 1 : rest.length;
    pieces.push(rest.subarray(0, size));
    rest = rest.subarray(size + 1);
  }
  return Buffer.concat(pieces);
}

/** A log without the entries of crun itself, which come before a container's process runs; lines of a terminal end otherwise. */
function withoutEntries(log: Buffer): Buffer {
  let rest = log;
  for (;;) {
    const end = rest.indexOf(newline);
    if (end < 0 || rest[end - 1] === carriageReturn || !isEntry(rest.toString('utf8', 0, end))) return rest;
    rest = rest.subarray(end + 1);
  }
}

function isEntry(line: string): boolean {
  try {
    const entry = JSON.parse(line) as unknown;
    return (
      typeof entry === 'object' && entry !== null && ['msg', 'level', 'time'].every((key) => key in entry)
    );
  } catch {
    return false;
  }
}
