import { spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../container-runtime.ts';
import { toolPath } from '../run-command.ts';

/** The helper's program; it listens on the socket file and is told a port by each connection's first line. */
const helperScript = (socketPath: string): string => `
const net = require('node:net');
const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
  client.on('error', () => {});
  client.once('readable', () => {
    const line = client.read();
    if (!line) return client.destroy();
    const target = net.connect({ host: '127.0.0.1', port: Number(line.toString()), allowHalfOpen: true });
    target.once('error', (error) => client.end('-' + error.message + '\\n'));
    target.once('connect', () => {
      client.write('+\\n');
      client.pipe(target).pipe(client);
    });
  });
});
server.listen(${JSON.stringify(socketPath)}, () => process.stdout.write('ready'));
process.stdin.on('end', () => process.exit()).resume();
`;

/**
 * Connects to ports on a network namespace's 127.0.0.1. Node cannot change its namespace: a helper process inside it, started
 * for the first connection and ended with the agent, is reached over a socket file.
 */
export class PortForwarder {
  readonly #socketPath: string;
  readonly #namespace: string | undefined;
  #helper: Promise<ChildProcess> | undefined;

  constructor(folder: string, namespace: string | undefined) {
    this.#socketPath = join(folder, 'forward.sock');
    this.#namespace = namespace;
  }

  /** Throws `RuntimeError` `FAILED` when nothing listens on the port. */
  async connect(port: number): Promise<Duplex> {
    if (this.#namespace === undefined)
      return connected(createConnection({ host: '127.0.0.1', port, allowHalfOpen: true }));
    this.#helper ??= this.#start(this.#namespace);
    await this.#helper;
    const socket = await connected(createConnection({ path: this.#socketPath, allowHalfOpen: true }));
    socket.write(`${port}\n`);
    const answer = await firstLine(socket);
    if (answer === '+') return socket;
    socket.destroy();
    throw new RuntimeError('FAILED', answer.slice(1) || `cannot connect to port ${port}`);
  }

  async close(): Promise<void> {
    const helper = await this.#helper?.catch(() => undefined);
    this.#helper = undefined;
    helper?.kill('SIGKILL');
  }

  async #start(namespace: string): Promise<ChildProcess> {
    await rm(this.#socketPath, { force: true });
    const child = spawn(
      'nsenter',
      [
        `--net=${namespace}`,
        '--',
        process.execPath,
        '--max-old-space-size=64',
        '-e',
        helperScript(this.#socketPath),
      ],
      { stdio: ['pipe', 'pipe', 'ignore'], env: { PATH: toolPath }, cwd: '/' },
    );
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () =>
        reject(new RuntimeError('FAILED', 'the port forwarding helper did not start')),
      );
      child.stdout.once('data', () => resolve());
    });
    child.once('exit', () => (this.#helper = undefined));
    child.unref();
    return child;
  }
}

function connected(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) => reject(new RuntimeError('FAILED', cause.message, { cause })));
    socket.once('connect', () => resolve(socket));
  });
}

/** Takes the first line off a socket and leaves the rest to be read. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const take = (): void => {
      for (;;) {
        const chunk = socket.read() as Buffer | null;
        if (!chunk) return;
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf(10);
        if (end < 0) continue;
        socket.off('readable', take);
        if (end + 1 < seen.length) socket.unshift(seen.subarray(end + 1));
        resolve(seen.subarray(0, end).toString());
        return;
      }
    };
    socket.on('readable', take);
    socket.once('close', () =>
      reject(new RuntimeError('FAILED', 'the port forwarding helper closed the connection')),
    );
  });
}
