import type { Status } from './meta/v1.gen.ts';

/** A failed API request: carries the `metav1.Status` that is, or was, the response body. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly status: Status & { readonly code: number; readonly reason: string; readonly message: string };

  constructor(
    status: Status & { readonly code: number; readonly reason: string; readonly message: string },
    options?: ErrorOptions,
  ) {
    super(status.message, options);
    this.status = status;
  }

  /** HTTP status code. */
  get code(): number {
    return this.status.code;
  }

  /** `metav1.StatusReason`: `NotFound`, `Conflict` … */
  get reason(): string {
    return this.status.reason;
  }
}

/** Whether `error` is a {@link StatusError} with this reason. */
export function isStatus(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason;
}
