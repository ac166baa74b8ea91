import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { ServicePort } from '../service-port.ts';

/** A port of the machine that a proxy holds, so that no other process can listen there unnoticed. */
export interface PortClaim {
  release(): void;
}

/**
 * Holds a port on one address, or on all of a family (`0.0.0.0`, `::`); undefined when another process has it or the address is not the machine's.
 * Packets for it are redirected before they get here; a connection that does arrive is reset.
 */
export function claimPort(
  protocol: ServicePort['protocol'],
  port: number,
  address: string,
): Promise<PortClaim | undefined> {
  if (protocol === 'SCTP') return Promise.resolve({ release: () => {} });
  return new Promise((resolve) => {
    const ipv6Only = address.includes(':');
    if (protocol === 'UDP') {
      const socket = createSocket({ type: ipv6Only ? 'udp6' : 'udp4', ipv6Only });
      socket.once('error', () => resolve(undefined));
      socket.bind({ port, address, exclusive: true }, () => {
        socket.unref();
        resolve({ release: () => socket.close() });
      });
      return;
    }
    const server = createServer((connection) => connection.resetAndDestroy());
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: address, exclusive: true, ipv6Only }, () => {
      server.unref();
      resolve({ release: () => void server.close() });
    });
  });
}
