import { connect } from 'node:net';
import { failure, success, type ProbeResult } from './probe-result.ts';

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ECONNRESET: 'read: connection reset by peer',
  ETIMEDOUT: 'i/o timeout',
};

/** A failed connection in Go's words. */
export function dialFailure(error: Error, authority: string): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'ECONNRESET') return 'EOF';
  const cause = CAUSES[code];
  return cause === undefined ? error.message : `dial tcp ${authority}: ${cause}`;
}

/** Succeeds when the port accepts a connection. */
export function tcpProbe(target: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}): Promise<ProbeResult> {
  const authority = `${target.host}:${target.port}`;
  return new Promise((resolve) => {
    const socket = connect({ host: target.host, port: target.port });
    socket.setTimeout(target.timeoutMs, () => {
      socket.destroy();
      resolve(failure(`dial tcp ${authority}: i/o timeout`));
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve(success());
    });
    socket.once('error', (error) => resolve(failure(dialFailure(error, authority))));
  });
}
