/** An evaluation that failed; the message is cel-go's. `&&`, `||` and quantifiers may absorb it. */
export class CelEvaluationError extends Error {
  override name = 'CelEvaluationError';
}

/** An evaluation that cost more than allowed; nothing absorbs it. */
export class CelCostError extends Error {
  override name = 'CelCostError';

  constructor() {
    super('operation cancelled: actual cost limit exceeded');
  }
}

export function noSuchOverload(): never {
  return evaluationError('no such overload');
}

/** Fails an evaluation. No stack is taken: an expression may absorb a million errors, and nobody reads where they come from. */
export function evaluationError(message: string): never {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new CelEvaluationError(message);
  Error.stackTraceLimit = limit;
  throw error;
}

/** An evaluation that needs an answer from outside first: await `prepare` and evaluate again. Nothing absorbs it. */
export class CelPendingError extends Error {
  override name = 'CelPendingError';
  readonly prepare: () => Promise<void>;

  constructor(prepare: () => Promise<void>) {
    super('an answer is pending');
    this.prepare = prepare;
  }
}
