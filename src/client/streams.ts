import { Duplex, type Readable, type Writable } from 'node:stream';
import { WebSocket } from 'ws';
import type { Status } from '../machinery/meta/v1.gen.ts';
import { newGenericServerResponse } from '../machinery/status/errors.ts';
import { StatusError } from '../machinery/status-error.ts';
import { authorizationOf, tlsOptionsOf, type Connection } from './connection.ts';
import { connectionError } from './connection-error.ts';
import { createHttpCaller, readText } from './http-call.ts';

/** Which container of which pod. Without `container` the server chooses. */
export interface ContainerRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container?: string;
}

/** What is connected to a process in a container; what is absent is not asked for. */
export interface StdioOptions {
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** A terminal: standard error is part of standard output. */
  readonly tty?: boolean;
  /** Is called once with a function that tells the terminal's size, whenever it is known or changes. */
  readonly onTerminal?: (resize: (size: TerminalSize) => void) => void;
  readonly signal?: AbortSignal;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
const execProtocol = 'v5.channel.k8s.io';
const forwardProtocol = 'v4.channel.k8s.io';

/** Runs a command in a container; resolves to its exit code. Throws `StatusError` when it could not be run. */
export function exec(
  connection: Connection,
  target: ContainerRef,
  options: StdioOptions & { readonly command: readonly string[] },
): Promise<number> {
  const query = stdioQuery(target, options);
  for (const word of options.command) query.append('command', word);
  return runStdio(connection, podPath(target, 'exec', query), options);
}

async function runStdio(connection: Connection, path: string, options: StdioOptions): Promise<number> {
  const { stdin, stdout, stderr, signal } = options;
  const socket = await open(connection, path, { protocol: execProtocol, signal });
  const send = (id: number, data: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      if (socket.readyState !== WebSocket.OPEN) resolve();
      else socket.send(Buffer.concat([Buffer.of(id), data]), () => resolve());
    });
  options.onTerminal?.(({ columns, rows }) => {
    void send(channel.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));
  });
  const forwardInput = async (input: Readable): Promise<void> => {
    for await (const chunk of input) await send(channel.stdin, Buffer.from(chunk as Uint8Array));
    await send(channel.close, Buffer.of(channel.stdin));
  };
  const outcome = new Promise<number>((resolve, reject) => {
    let result: Status | undefined;
    socket.on('message', (message: Buffer) => {
      const data = message.subarray(1);
      if (message[0] === channel.stdout) stdout?.write(data);
      else if (message[0] === channel.stderr) stderr?.write(data);
      else if (message[0] === channel.error) result = JSON.parse(data.toString('utf8')) as Status;
    });
    socket.once('error', (error) => reject(connectionError(connection.server, error)));
    socket.once('close', () => {
      const code = exitCodeIn(result);
      if (code !== undefined) resolve(code);
      else reject(new StatusError(failureOf(result)));
    });
    signal?.addEventListener('abort', () => {
      socket.terminate();
      reject(signal.reason);
    });
  });
  socket.resume();
  if (stdin) forwardInput(stdin).catch((error: unknown) => socket.emit('error', error));
  return await outcome;
}

/** The exit code that the final `Status` carries; undefined when it tells of another failure. */
function exitCodeIn(status: Status | undefined): number | undefined {
  if (!status || status.status === 'Success') return 0;
  if (status.reason !== 'NonZeroExitCode') return undefined;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  return Number(cause?.message ?? 1);
}

function failureOf(status: Status | undefined): StatusError['status'] {
  return {
    ...status,
    code: status?.code ?? 500,
    reason: status?.reason ?? 'InternalError',
    message: status?.message ?? 'the stream ended without a result',
  };
}

/** A connection to a port of a pod. What the server reports about it destroys the stream with an error. */
export async function portForward(
  connection: Connection,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
): Promise<Duplex> {
  const query = new URLSearchParams({ ports: String(target.port) });
  const socket = await open(connection, podPath(target, 'portforward', query), { protocol: forwardProtocol });
  const started = new Set<number>();
  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      socket.send(Buffer.concat([Buffer.of(0), chunk]), done);
    },
    final(done) {
      socket.close();
      done();
    },
    destroy(error, done) {
      socket.terminate();
      done(error);
    },
  });
  socket.on('message', (message: Buffer) => {
    const [id = 0] = message;
    const data = message.subarray(1);
    if (!started.has(id)) started.add(id);
    else if (id === 0) {
      if (!stream.push(data)) socket.pause();
    } else if (data.length > 0) stream.destroy(new Error(data.toString('utf8')));
  });
  socket.once('close', () => stream.push(null));
  socket.once('error', (error) => stream.destroy(connectionError(connection.server, error)));
  socket.resume();
  return stream;
}

export interface LogOptions {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: string;
  readonly limitBytes?: number;
  readonly signal?: AbortSignal;
}

/** A container's log as it is written. Throws `StatusError`. */
export async function* streamLogs(
  connection: Connection,
  target: ContainerRef,
  { signal, ...options }: LogOptions = {},
): AsyncGenerator<Buffer> {
  const query = new URLSearchParams();
  if (target.container !== undefined) query.set('container', target.container);
  for (const [name, value] of Object.entries(options))
    if (value !== undefined) query.set(name, String(value));
  const caller = createHttpCaller(connection);
  try {
    const path = podPath(target, 'log', query);
    const response = await caller.call({
      method: 'GET',
      path,
      headers: { accept: '*/*' },
      ...(signal && { signal }),
    });
    // A pod that no node has yet is answered with 204.
    if (response.statusCode !== 200 && response.statusCode !== 204)
      throw refusal(response.statusCode ?? 500, await readText(response));
    for await (const chunk of response) yield chunk as Buffer;
  } finally {
    caller.close();
  }
}

function podPath(
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
  subresource: string,
  query: URLSearchParams,
): string {
  const place = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
  return `${place}/${subresource}?${query.toString()}`;
}

function stdioQuery({ container }: ContainerRef, options: StdioOptions): URLSearchParams {
  const query = new URLSearchParams();
  if (container !== undefined) query.set('container', container);
  if (options.stdin) query.set('stdin', 'true');
  if (options.stdout) query.set('stdout', 'true');
  if (options.stderr && !options.tty) query.set('stderr', 'true');
  if (options.tty) query.set('tty', 'true');
  return query;
}

/** An open connection, paused so that nothing is missed before its listeners are there. */
function open(
  connection: Connection,
  path: string,
  { protocol, signal }: { readonly protocol: string; readonly signal?: AbortSignal | undefined },
): Promise<WebSocket> {
  const url = `${connection.server.replace(/^http/, 'ws').replace(/\/$/, '')}${path}`;
  const socket = new WebSocket(url, [protocol], {
    headers: authorizationOf(connection),
    perMessageDeflate: false,
    ...(signal && { signal }),
    ...tlsOptionsOf(connection),
  });
  socket.binaryType = 'nodebuffer';
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      socket.removeAllListeners('error');
      socket.pause();
      resolve(socket);
    });
    socket.once('error', (error) => reject(connectionError(connection.server, error)));
    socket.once('unexpected-response', (_request, response) => {
      readText(response).then(
        (body) => reject(refusal(response.statusCode ?? 500, body)),
        (error: unknown) => reject(connectionError(connection.server, error)),
      );
    });
  });
}

function refusal(code: number, body: string): StatusError {
  if (body.startsWith('{')) {
    const status = JSON.parse(body) as Status;
    if (status.message !== undefined)
      return new StatusError({ ...failureOf(status), code: status.code ?? code });
  }
  return newGenericServerResponse({ code, method: 'GET', body });
}
