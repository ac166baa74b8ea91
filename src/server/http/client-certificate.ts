import type { TLSSocket } from 'node:tls';
import type { CertificateSubject } from '../auth/authenticate.ts';
import type { FrontProxies } from '../auth/front-proxy.ts';
import type { HttpRequest } from './exchange.ts';

/** The verified certificate of a connection. */
export interface ClientCertificate {
  readonly subject: CertificateSubject;
  /** It is a front proxy's, and no user's. */
  readonly isFrontProxy: boolean;
}

const known = new WeakMap<object, ClientCertificate | 'none'>();

function read(request: HttpRequest, proxies: FrontProxies | undefined): ClientCertificate | undefined {
  const socket = ('stream' in request ? request.stream.session?.socket : request.socket) as
    | TLSSocket
    | undefined;
  if (!socket?.authorized) return undefined;
  const { subject, raw } = socket.getPeerCertificate();
  return { subject, isFrontProxy: proxies?.signed(raw) ?? false };
}

/** The connection's client certificate; undefined when there is none that an authority of the cluster signed. */
export function clientCertificate(
  request: HttpRequest,
  proxies: FrontProxies | undefined,
): ClientCertificate | undefined {
  const holder = 'stream' in request ? (request.stream.session ?? request.stream) : request.socket;
  const found = known.get(holder) ?? read(request, proxies) ?? 'none';
  known.set(holder, found);
  return found === 'none' ? undefined : found;
}
