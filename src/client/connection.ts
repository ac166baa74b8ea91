/** How to reach an API server and as whom. Certificates and keys are PEM. */
export interface Connection {
  /** `https://host:port`, with a path when the server stands behind a proxy. */
  readonly server: string;
  /** Authorities to trust; the system's when absent. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  /** The name that the server's certificate must carry, when it is not the host. */
  readonly tlsServerName?: string;
  readonly insecureSkipTlsVerify?: boolean;
}

/** The `Authorization` header of a connection, if it has one. */
export function authorizationOf({ token, username, password }: Connection): Readonly<Record<string, string>> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
}

/** TLS options of a connection, as `node:tls` takes them. */
export function tlsOptionsOf(connection: Connection): {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: boolean;
} {
  const { ca, cert, key, tlsServerName, insecureSkipTlsVerify } = connection;
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    rejectUnauthorized: insecureSkipTlsVerify !== true,
  };
}
