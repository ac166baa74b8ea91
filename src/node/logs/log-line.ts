/** One line of a CRI log file. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: Buffer;
  readonly stream: 'stdout' | 'stderr';
  /** The text goes on in the next line. */
  readonly partial: boolean;
  readonly text: Buffer;
}

const SPACE = 0x20;

/** Takes `TIME stdout|stderr F|P TEXT` apart (no line end); undefined when it is no such line. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first <= 0 || second < 0) return undefined;
  const end = third < 0 ? line.length : third;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return {
    time: line.subarray(0, first),
    stream,
    partial: line.toString('latin1', second + 1, end).startsWith('P'),
    text: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  };
}
