import { createServer, type Server as SocketServer } from 'node:net';
import { rmSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../missing-file.ts';
import { rpcNamespace } from '../plugins/rpc-schema.ts';
import { devicePluginRegistration, type RegisterRequest } from './device-plugin-protocol.ts';

/** Of sockets, in bytes, on every system. */
const LONGEST_PATH = 103;

/**
 * Listens for device plug-ins on `kubelet.sock` in a folder, whose other sockets go: by that, plug-ins of an earlier agent see that they
 * have to register again. The gRPC library is loaded by the first of them. `register` throws what is told to a plug-in.
 */
export async function serveRegistration(
  folder: string,
  register: (request: RegisterRequest) => Promise<void>,
  onError: (error: unknown) => void,
): Promise<{ close(): void }> {
  const path = join(folder, 'kubelet.sock');
  if (Buffer.byteLength(path) > LONGEST_PATH)
    throw new Error(
      `device plug-ins cannot register: the path of ${path} is too long for a socket; choose a shorter data directory`,
    );
  await mkdir(folder, { recursive: true, mode: 0o750 });
  await removeSockets(folder);
  let injecting: Promise<Injector> | undefined;
  const server: SocketServer = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    injecting ??= createInjector(register);
    injecting.then(
      ({ inject }) => inject(socket),
      (error: unknown) => {
        socket.destroy();
        onError(error);
      },
    );
  });
  // A plug-in that sees the socket may connect to it at once.
  const unfinished = join(folder, 'starting');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(unfinished, resolve);
  });
  server.on('error', onError);
  server.unref();
  await rename(unfinished, path);
  return {
    close() {
      server.close();
      rmSync(path, { force: true });
      void injecting?.then(({ close }) => close());
    },
  };
}

interface Injector {
  inject(socket: import('node:net').Socket): void;
  close(): void;
}

async function createInjector(register: (request: RegisterRequest) => Promise<void>): Promise<Injector> {
  const [{ Server, ServerCredentials, status }, { fromJSON }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ]);
  const definition = fromJSON(rpcNamespace(devicePluginRegistration), { keepCase: true, defaults: true });
  const server = new Server();
  server.addService(definition[devicePluginRegistration.name] as Parameters<typeof server.addService>[0], {
    Register(
      call: { readonly request: RegisterRequest },
      answer: (error: { code: number; details: string } | null, value?: object) => void,
    ) {
      register(call.request).then(
        () => answer(null, {}),
        (error: unknown) =>
          answer({ code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) }),
      );
    },
  });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    inject(socket) {
      injector.injectConnection(socket);
      socket.resume();
    },
    close() {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

async function removeSockets(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      if ((await stat(path)).isSocket()) await rm(path, { force: true });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}
