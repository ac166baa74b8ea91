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

type Shown = ClientCertificate | 'untrusted' | undefined;

const known = new WeakMap<object, Exclude<Shown, undefined> | 'none'>();

function read(request: HttpRequest, proxies: FrontProxies | undefined): Shown {
  const socket = ('stream' in request ? request.stream.session?.socket : request.socket) as
    | TLSSocket
    | undefined;
  const certificate = socket?.getPeerX509Certificate?.();
  if (!certificate) return undefined;
  if (!socket?.authorized) return 'untrusted';
  const { subject } = certificate.toLegacyObject();
  const sha256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const expiresAt = Date.parse(certificate.validTo);
  return { subject: { ...subject, sha256, expiresAt }, isFrontProxy: proxies?.signed(certificate) ?? false };
}

/** The connection's client certificate: `untrusted` when no authority of the cluster signed it, undefined when there is none. */
export function clientCertificate(request: HttpRequest, proxies: FrontProxies | undefined): Shown {
  const holder = 'stream' in request ? (request.stream.session ?? request.stream) : request.socket;
  const found = known.get(holder) ?? read(request, proxies) ?? 'none';
  known.set(holder, found);
  return found === 'none' ? undefined : found;
}
