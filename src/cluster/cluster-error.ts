export type ClusterErrorCode =
  | 'INVALID_NAME'
  | 'INVALID_OPTION'
  | 'UNREADABLE'
  | 'ALREADY_RUNNING'
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'PORT_TAKEN'
  | 'RUNTIME_MISSING'
  | 'FAILED';

/** What starting, stopping and finding clusters throws; the message says what to do. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
