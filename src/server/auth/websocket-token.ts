import type { IncomingHttpHeaders } from 'node:http';

const prefix = 'base64url.bearer.authorization.k8s.io.';

/**
 * The bearer token among the protocols of a WebSocket request (browsers cannot set other headers), taken out of them. It needs
 * another protocol beside it, as upstream's protocol authenticator does.
 */
export function websocketToken(headers: IncomingHttpHeaders): string | undefined {
  const offered = headers['sec-websocket-protocol'];
  if (offered === undefined || !/^websocket$/i.test(headers.upgrade ?? '')) return undefined;
  const protocols = offered.split(',').map((one) => one.trim());
  const encoded = protocols.find((one) => one.startsWith(prefix))?.slice(prefix.length);
  const others = protocols.filter((one) => !one.startsWith(prefix));
  if (encoded === undefined || others.length === 0) return undefined;
  headers['sec-websocket-protocol'] = others.join(', ');
  return Buffer.from(encoded, 'base64url').toString();
}
