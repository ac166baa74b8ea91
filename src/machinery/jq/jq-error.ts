/** A jq expression that cannot be parsed, or one that failed on its input. */
export class JqError extends Error {
  override readonly name = 'JqError';
  /** What `try … catch` gets: the message, or the value given to `error`. */
  readonly value: unknown;

  constructor(message: string, value: unknown = message) {
    super(message);
    this.value = value;
  }
}
