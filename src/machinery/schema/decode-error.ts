/** A body whose values do not fit the schema; the message is that of Go's decoder. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly code = 'DECODE';
}
