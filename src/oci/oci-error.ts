export type OciErrorCode =
  | 'NOT_FOUND'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'WRONG_PLATFORM'
  | 'CORRUPT'
  | 'INVALID_REFERENCE'
  | 'NO_SPACE';

/** What everything about images throws. The message names the image and says what to do. */
export class OciError extends Error {
  override readonly name = 'OciError';
  readonly code: OciErrorCode;

  constructor(code: OciErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
