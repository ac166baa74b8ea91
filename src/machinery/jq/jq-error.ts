/** A jq expression that cannot be parsed, or one that failed on its input. */
export class JqError extends Error {
  override readonly name = 'JqError';
  /** What `try … catch` gets: the message, or the value given to `error`. */
  readonly value: unknown;

  constructor(message: string, value: unknown = message) {
    // That a query fails on an input is an ordinary outcome; where in the evaluator it did so tells nobody anything.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.value = value;
  }
}
