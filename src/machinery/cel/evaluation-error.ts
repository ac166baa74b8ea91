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
  throw new CelEvaluationError('no such overload');
}

export function evaluationError(message: string): never {
  throw new CelEvaluationError(message);
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
