import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import type { Clock } from '../../base/clock.ts';
import { newBadRequest, newNotFound } from '../../machinery/status/errors.ts';
import type { KubeletBackend } from './kubelet-backend.ts';
import { portForwardProtocol, servePortForward } from '../streams/port-forward.ts';
import { runRemoteCommand } from '../streams/remote-command.ts';
import type { RemoteOptions, RemoteWork } from '../streams/remote-command.ts';
import { acceptSpdyRemote, spdyRemoteProtocols } from '../streams/spdy-remote-command.ts';
import {
  serveWebSocketPortForward,
  webSocketPortForwardProtocols,
} from '../streams/websocket-port-forward.ts';
import { acceptWebSocketRemote, webSocketRemoteProtocols } from '../streams/websocket-remote-command.ts';
import type { ContainerTarget, KubeletTarget, PodTarget } from './kubelet-path.ts';

interface StreamRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly target: KubeletTarget;
  readonly query: URLSearchParams;
  readonly agent: KubeletBackend;
  readonly clock: Clock;
}

const tunnelled = `SPDY/3.1+${portForwardProtocol}`;
/** A connection on which nothing happens is kept alive, and noticed when it is dead. */
const pingMs = 30_000;

/** Serves `exec`, `attach` and `portForward` over whichever of SPDY/3.1 and WebSocket the client asks for. */
export async function serveStream(stream: StreamRequest): Promise<void> {
  const { request, target } = stream;
  const upgrade = (request.headers.upgrade ?? '').toLowerCase();
  const work = target.verb === 'portForward' ? portForward(stream, target) : remoteCommand(stream, target);
  if (upgrade === 'websocket') await work.overWebSocket();
  else if (upgrade === 'spdy/3.1') await work.overSpdy();
  else
    throw newBadRequest(
      `unable to upgrade: unknown protocol ${JSON.stringify(request.headers.upgrade ?? '')}`,
    );
}

interface Work {
  overSpdy(): Promise<void>;
  overWebSocket(): Promise<void>;
}

function remoteCommand(stream: StreamRequest, target: ContainerTarget): Work {
  const { agent, query, socket, clock } = stream;
  const flag = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
  const tty = flag('tty');
  const options: RemoteOptions = {
    stdin: flag('input'),
    stdout: flag('output'),
    stderr: flag('error') && !tty,
    tty,
  };
  if (!options.stdin && !options.stdout && !options.stderr)
    throw newBadRequest('you must specify at least 1 of stdin, stdout, stderr');
  const container = agent.containerFor(target.namespace, target.pod, target.container);
  if (!container)
    throw newBadRequest(
      `unable to upgrade connection: container not found (${JSON.stringify(target.container)})`,
    );
  const command = query.getAll('command');
  if (target.verb === 'exec' && command.length === 0)
    throw newBadRequest('you must specify a command to run');
  const work: RemoteWork =
    target.verb === 'exec'
      ? {
          doing: 'executing command in',
          start: () => agent.runtime.exec(container.id, { command, tty, stdin: options.stdin }),
        }
      : {
          doing: 'attaching to',
          start: () => agent.runtime.attach(container.id, { tty, stdin: options.stdin }),
        };
  return {
    async overSpdy() {
      const protocol = acceptSpdy(stream, spdyRemoteProtocols);
      await runRemoteCommand(await acceptSpdyRemote(socket, { protocol, options, clock }), work);
    },
    async overWebSocket() {
      const webSocket = await acceptWebSocket(stream, webSocketRemoteProtocols);
      await runRemoteCommand(acceptWebSocketRemote(webSocket, options), work);
    },
  };
}

function portForward(stream: StreamRequest, target: PodTarget): Work {
  const { agent, socket, clock, query } = stream;
  const sandbox = agent.sandboxFor(target.namespace, target.pod);
  if (!sandbox) throw newNotFound({ group: '', resource: 'pods' }, target.pod);
  const connect = (port: number): Promise<Duplex> => agent.runtime.connectPort(sandbox, port);
  return {
    async overSpdy() {
      acceptSpdy(stream, [portForwardProtocol]);
      servePortForward(socket, { connect, clock });
    },
    async overWebSocket() {
      const webSocket = await acceptWebSocket(stream, [tunnelled, ...webSocketPortForwardProtocols]);
      if (webSocket.protocol === tunnelled) {
        servePortForward(createWebSocketStream(webSocket), { connect, clock });
        return;
      }
      const ports = query
        .getAll('port')
        .flatMap((list) => list.split(','))
        .map(Number);
      if (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) {
        webSocket.close(1002, 'query parameter "port" is required');
        return;
      }
      serveWebSocketPortForward(webSocket, { ports, connect });
    },
  };
}

/** Agrees on a protocol of those the client lists, in the server's order of preference, and switches to SPDY. */
function acceptSpdy({ request, socket, head }: StreamRequest, protocols: readonly string[]): string {
  const header = request.headers['x-stream-protocol-version'];
  const offered = (Array.isArray(header) ? header : [header ?? ''])
    .flatMap((value) => value.split(','))
    .map((value) => value.trim());
  const protocol = protocols.find((known) => offered.includes(known));
  if (!protocol && offered.some((value) => value !== '')) {
    socket.end(
      `HTTP/1.1 403 Forbidden\r\n${protocols.map((known) => `X-Accepted-Stream-Protocol-Versions: ${known}\r\n`).join('')}Content-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    throw newBadRequest(
      `unable to upgrade: unable to negotiate protocol: client supports ${JSON.stringify(offered)}, server accepts ${JSON.stringify(protocols)}`,
    );
  }
  const chosen = protocol ?? protocols.at(-1) ?? '';
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  );
  if (head.length > 0) socket.unshift(head);
  return chosen;
}

function acceptWebSocket(
  { request, socket, head, clock }: StreamRequest,
  protocols: readonly string[],
): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: 8 << 20,
    handleProtocols: (offered) => protocols.find((known) => offered.has(known)) ?? false,
  });
  return new Promise((resolve) => {
    server.handleUpgrade(request, socket, head, (webSocket) => {
      const beat = (): void => {
        if (webSocket.readyState !== webSocket.OPEN) return;
        webSocket.ping();
        clock.after(pingMs, beat);
      };
      clock.after(pingMs, beat);
      resolve(webSocket);
    });
  });
}
