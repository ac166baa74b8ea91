import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { UserInfo } from '../../api/resource.ts';

/** Who may ask on behalf of others (`--requestheader-…` of upstream). */
export interface FrontProxyOptions {
  /** PEM: the authority of their certificates. */
  readonly ca: string;
  /** The common names of their certificates. */
  readonly allowedNames: readonly string[];
}

/** Tells front proxies from other clients, and whom they ask for. */
export interface FrontProxies {
  /** Whether a client's verified certificate is a front proxy's rather than a user's. */
  signed(certificate: X509Certificate): boolean;
  /** The user that a proxy of this name asks for; undefined when it names none or is not allowed to. */
  user(proxy: string | undefined, headers: IncomingHttpHeaders): UserInfo | undefined;
}

const extraPrefix = 'x-remote-extra-';

function listed(value: string | string[] | undefined): string[] {
  // Node.js joins headers that are sent several times.
  return [value ?? []].flat().flatMap((joined) => joined.split(', '));
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch (error) {
    if (error instanceof URIError) return key;
    throw error;
  }
}

export function createFrontProxies({ ca, allowedNames }: FrontProxyOptions): FrontProxies {
  let authority: X509Certificate | undefined;
  return {
    signed(certificate) {
      authority ??= new X509Certificate(ca);
      return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
    },
    user(proxy, headers) {
      const [name] = listed(headers['x-remote-user']);
      if (proxy === undefined || !allowedNames.includes(proxy) || !name) return undefined;
      const [uid] = listed(headers['x-remote-uid']);
      const extra = Object.entries(headers)
        .filter(([header]) => header.startsWith(extraPrefix))
        .map(([header, value]) => [decoded(header.slice(extraPrefix.length)), listed(value)] as const);
      const groups = listed(headers['x-remote-group']);
      return {
        name,
        ...(uid !== undefined && { uid }),
        groups: groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'],
        ...(extra.length > 0 && { extra: Object.fromEntries(extra) }),
      };
    },
  };
}

/** The ConfigMap from which extension API servers learn whom to trust. */
export function authenticationConfigMap(clientCa: string, { ca, allowedNames }: FrontProxyOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': clientCa,
      'requestheader-allowed-names': JSON.stringify(allowedNames),
      'requestheader-client-ca-file': ca,
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-uid-headers': '["X-Remote-Uid"]',
      'requestheader-username-headers': '["X-Remote-User"]',
    },
  };
}
