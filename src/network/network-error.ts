export type NetworkErrorCode =
  /** A tool (`ip`, `nft`, `nsenter`) is not installed. */
  | 'TOOL_MISSING'
  /** A tool ran and refused. */
  | 'TOOL_FAILED'
  /** Another route of this machine lies within a range of the cluster. */
  | 'RANGE_IN_USE'
  /** A node has no address left. */
  | 'NO_ADDRESS'
  | 'INVALID_RANGE'
  /** Another process listens on a port of the machine that a pod or service wants. */
  | 'PORT_IN_USE';

/** What everything about the network throws. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
  readonly code: NetworkErrorCode;

  constructor(code: NetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
