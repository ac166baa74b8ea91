import { createServer, type AddressInfo, type Server } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Pod, Service } from '../api/core/v1.gen.ts';
import { portForward } from '../client/streams.ts';
import type { KubeObject, Live } from '../machinery/object.ts';
import type { CliContext } from './cli-context.ts';
import { CliError } from './cli-error.ts';
import { podsOf } from './pods-of.ts';
import type { Session } from './session.ts';

export interface ForwardRequest {
  /** `web-1`, `svc/web`, `deploy/web`. */
  readonly target: string;
  /** `LOCAL:REMOTE`, `PORT`, `:REMOTE`. */
  readonly ports: readonly string[];
  readonly addresses: readonly string[];
}

interface Forward {
  /** 0: a free one. */
  readonly local: number;
  readonly remote: number;
}

/** Listens on local ports and carries each connection to a pod, until the context's signal aborts. */
export async function forwardPorts(
  context: CliContext,
  session: Session,
  { target, ports, addresses }: ForwardRequest,
): Promise<void> {
  const { owner, pods } = await podsOf(session, target);
  const [pod] = pods;
  if (pod.status?.phase !== 'Running')
    throw new CliError(
      `unable to forward port because pod is not running. Current status=${pod.status?.phase ?? 'Unknown'}`,
    );
  const forwards = ports.map((text) => readPorts(text, owner, pod));
  const servers: Server[] = [];
  try {
    for (const forward of forwards) {
      const listening = await listenAll(context, session, { pod, forward, addresses });
      servers.push(...listening);
    }
    await new Promise<void>((resolve) => {
      if (context.signal.aborted) resolve();
      context.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    for (const server of servers) server.close();
  }
}

function readPorts(text: string, owner: Live<KubeObject>, pod: Live<Pod>): Forward {
  const [first = '', second] = text.split(':');
  const remoteText = second ?? first;
  const remote = owner.kind === 'Service' ? servicePort(owner, pod, remoteText) : podPort(pod, remoteText);
  const local = second === undefined ? (portNumber(first) ?? remote) : first === '' ? 0 : portNumber(first);
  if (remote === undefined || local === undefined || /:.*:/.test(text))
    throw new CliError(
      `"${text}" is no pair of ports that ${owner.kind.toLowerCase()}/${owner.metadata.name} has; write LOCAL:REMOTE`,
      { exitCode: 2 },
    );
  return { local, remote };
}

function portNumber(text: string): number | undefined {
  const port = Number(text);
  return /^\d+$/.test(text) && port > 0 && port < 65_536 ? port : undefined;
}

function podPort({ spec }: Pod, text: string): number | undefined {
  const named = spec?.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === text);
  return named?.containerPort ?? portNumber(text);
}

/** A service's port leads to its target port; a headless service's to itself. */
function servicePort(service: Live<KubeObject>, pod: Live<Pod>, text: string): number | undefined {
  const { spec } = service as Live<Service>;
  const port = spec?.ports?.find((one) => one.name === text || String(one.port) === text);
  if (!port) return undefined;
  if (spec?.clusterIP === 'None') return port.port;
  return port.targetPort === undefined ? port.port : podPort(pod, String(port.targetPort));
}

async function listenAll(
  context: CliContext,
  session: Session,
  { pod, forward, addresses }: { pod: Live<Pod>; forward: Forward; addresses: readonly string[] },
): Promise<Server[]> {
  const servers: Server[] = [];
  let { local } = forward;
  for (const address of addresses.flatMap((one) => (one === 'localhost' ? ['127.0.0.1', '::1'] : [one]))) {
    const optional = address === '::1' && servers.length > 0;
    try {
      const server = await listen(context, session, { pod, remote: forward.remote, address, local });
      local = (server.address() as AddressInfo).port;
      servers.push(server);
      const shown = address.includes(':') ? `[${address}]` : address;
      context.stdout.write(`Forwarding from ${shown}:${local} -> ${forward.remote}\n`);
    } catch (cause) {
      if (optional) continue;
      for (const server of servers) server.close();
      throw new CliError(`unable to listen on port ${local} of ${address}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return servers;
}

function listen(
  context: CliContext,
  session: Session,
  { pod, remote, address, local }: { pod: Live<Pod>; remote: number; address: string; local: number },
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    context.stdout.write(`Handling connection for ${(server.address() as AddressInfo).port}\n`);
    const stop = (): void => void socket.destroy();
    context.signal.addEventListener('abort', stop, { once: true });
    const carry = async (): Promise<void> => {
      const target = { namespace: session.namespace, pod: pod.metadata.name, port: remote };
      const stream = await portForward(session.connection, target);
      await pipeline(socket, stream, socket);
    };
    carry()
      .catch((error: unknown) => {
        if (!context.signal.aborted && !isHangUp(error))
          context.stderr.write(`error: forwarding to port ${remote}: ${(error as Error).message}\n`);
        socket.destroy();
      })
      .finally(() => context.signal.removeEventListener('abort', stop));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port: local }, () => resolve(server));
  });
}

function isHangUp(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET' || code === 'EPIPE';
}
