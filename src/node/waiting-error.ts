/** Why a container cannot start now, in the words of its `state.waiting`. */
export class WaitingError extends Error {
  override readonly name = 'WaitingError';
  /** `ErrImagePull`, `CreateContainerConfigError` … */
  readonly reason: string;
  /** When to try again; absent: after the usual pause. */
  readonly retryMs: number | undefined;

  constructor(reason: string, message: string, options?: ErrorOptions & { readonly retryMs?: number }) {
    super(message, options);
    this.reason = reason;
    this.retryMs = options?.retryMs;
  }
}
