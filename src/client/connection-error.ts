export type ConnectionErrorCode =
  | 'SERVER_UNREACHABLE'
  | 'SERVER_UNTRUSTED'
  | 'CREDENTIALS_REJECTED'
  | 'CONNECTION_LOST';

/** The API server could not be talked to. The message names the address and what to do. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;

  constructor(code: ConnectionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const untrusted = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is the cluster running?',
  ENOTFOUND: 'the host name is not known; check the server address in the kubeconfig',
  EAI_AGAIN: 'the host name could not be looked up; check the network',
  ETIMEDOUT: 'no answer; check the address and the network',
  EHOSTUNREACH: 'there is no way to the host; check the network',
  ENETUNREACH: 'there is no way to the network; check the network',
};

/** Puts a socket's or TLS error into the words of a {@link ConnectionError}. */
export function connectionError(server: string, cause: unknown): ConnectionError {
  const { code = '', message = String(cause) } = (cause ?? {}) as { code?: string; message?: string };
  const hint = unreachable[code];
  if (hint !== undefined) {
    return new ConnectionError('SERVER_UNREACHABLE', `cannot reach ${server}: ${hint} (${code})`, { cause });
  }
  if (untrusted.has(code)) {
    const advice =
      'check certificate-authority in the kubeconfig, or write a new one with "kanoe kubeconfig"';
    return new ConnectionError(
      'SERVER_UNTRUSTED',
      `the certificate of ${server} is not trusted: ${advice} (${message})`,
      { cause },
    );
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    const advice = 'check client-certificate and client-key in the kubeconfig';
    return new ConnectionError(
      'CREDENTIALS_REJECTED',
      `${server} refused the TLS handshake: ${advice} (${message})`,
      { cause },
    );
  }
  return new ConnectionError('CONNECTION_LOST', `the connection to ${server} broke: ${message}; try again`, {
    cause,
  });
}
