import { mkdir, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ClusterError, type ClusterErrorCode } from './cluster-error.ts';
import { isRunning, readRecord, type ClusterRecord } from './cluster-record.ts';
import type { Home } from './home.ts';
import type { PlannedNode } from './planned-nodes.ts';

/** What the process of a running cluster does for whoever may open its control socket: its owner. */
export interface ClusterControl {
  readonly nodes: {
    list(): readonly PlannedNode[];
    /** Resolves to the name, once the node is Ready. */
    add(name?: string): Promise<string>;
    start(name: string): Promise<void>;
    stop(name: string): Promise<void>;
    delete(name: string): Promise<void>;
  };
}

/** A call as it goes over the socket. */
type ControlCall =
  | { readonly verb: 'list' }
  | { readonly verb: 'add'; readonly name?: string }
  | { readonly verb: 'start' | 'stop' | 'delete'; readonly name: string };

type ControlReply =
  | { readonly result: unknown }
  | { readonly error: { readonly code: ClusterErrorCode; readonly message: string } };

export interface ControlSocket {
  close(): Promise<void>;
}

function socketPath({ runDirectory }: Pick<ClusterRecord, 'runDirectory'>): string {
  return join(runDirectory, 'control.sock');
}

/** Serves the calls on a socket file that only the owner of the process can open. */
export async function serveControl(
  place: Pick<ClusterRecord, 'runDirectory'>,
  control: ClusterControl,
): Promise<ControlSocket> {
  await mkdir(place.runDirectory, { recursive: true, mode: 0o700 });
  const path = socketPath(place);
  await rm(path, { force: true });
  const server = createServer((incoming, response) => void answer(control, incoming, response));
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  server.unref();
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  control: ClusterControl,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: ControlReply;
  try {
    const call = JSON.parse(await textOf(incoming)) as ControlCall;
    reply = { result: (await perform(control, call)) ?? null };
  } catch (error) {
    const code = error instanceof ClusterError ? error.code : 'FAILED';
    reply = { error: { code, message: error instanceof Error ? error.message : String(error) } };
  }
  response.end(JSON.stringify(reply));
}

function perform({ nodes }: ClusterControl, call: ControlCall): unknown {
  switch (call.verb) {
    case 'list':
      return nodes.list();
    case 'add':
      return nodes.add(call.name);
    default:
      return nodes[call.verb](call.name);
  }
}

/** The calls of a running cluster, from another process of its owner. Throws `NOT_FOUND` and what the cluster throws. */
export async function controlOf(home: Home, name: string): Promise<AsyncControl> {
  const record = await readRecord(home, name);
  if (!record)
    throw new ClusterError(
      'NOT_FOUND',
      `there is no cluster named ${name}; \`kanoe list\` shows those there are`,
    );
  if (!(await isRunning(record)))
    throw new ClusterError(
      'NOT_FOUND',
      `cluster ${name} does not run; \`kanoe up --name ${name}\` starts it`,
    );
  const path = socketPath(record);
  return {
    list: () => send(path, { verb: 'list' }),
    add: (node) => send(path, { verb: 'add', ...(node !== undefined && { name: node }) }),
    start: (node) => send(path, { verb: 'start', name: node }),
    stop: (node) => send(path, { verb: 'stop', name: node }),
    delete: (node) => send(path, { verb: 'delete', name: node }),
  };
}

/** {@link ClusterControl}'s nodes, from outside. */
export interface AsyncControl {
  list(): Promise<readonly PlannedNode[]>;
  add(name?: string): Promise<string>;
  start(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  delete(name: string): Promise<void>;
}

async function send<T>(path: string, call: ControlCall): Promise<T> {
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request({ socketPath: path, method: 'POST', path: '/' }, (response) => {
      textOf(response).then(resolve, reject);
    });
    outgoing.once('error', (cause) =>
      reject(
        new ClusterError('FAILED', `the cluster's process cannot be asked: ${cause.message}`, { cause }),
      ),
    );
    outgoing.end(JSON.stringify(call));
  });
  const reply = JSON.parse(text) as ControlReply;
  if ('error' in reply) throw new ClusterError(reply.error.code, reply.error.message);
  return reply.result as T;
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
