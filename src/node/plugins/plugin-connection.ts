import type { Client as RpcClient } from '@grpc/grpc-js';
import type { Clock } from '../../base/clock.ts';
import { rpcNamespace, type RpcService } from './rpc-schema.ts';

/**
 * A connection to the socket of a plug-in, made at the first call and again when it breaks. `Calls` says, by the methods of the
 * service, what is sent and what comes back.
 */
export interface PluginConnection<Calls> {
  /** Throws `PluginError` with the plug-in's words. */
  call<Name extends keyof Calls & string>(
    name: Name,
    request: RequestOf<Calls, Name>,
  ): Promise<ResponseOf<Calls, Name>>;
  /** Calls a method that answers many times; `onEnd` is called once, when no more answers come: `unimplemented` where none ever will. */
  watch<Name extends keyof Calls & string>(
    name: Name,
    request: RequestOf<Calls, Name>,
    listener: WatchListener<ResponseOf<Calls, Name>>,
  ): { close(): void };
  close(): void;
}

export type RequestOf<Calls, Name extends keyof Calls> = Calls[Name] extends readonly [
  infer Request extends object,
  unknown,
]
  ? Request
  : never;
export type ResponseOf<Calls, Name extends keyof Calls> = Calls[Name] extends readonly [
  object,
  infer Response,
]
  ? Response
  : never;

export interface WatchListener<Message> {
  onMessage(message: Message): void;
  onEnd(why: 'ended' | 'unimplemented'): void;
}

/** A plug-in that cannot do what it is asked for (now). */
export class PluginError extends Error {
  override readonly name = 'PluginError';
}

export interface ConnectOptions {
  readonly socket: string;
  readonly service: RpcService;
  readonly clock: Clock;
  /** How long a call may take; default two minutes. */
  readonly timeoutMs?: number;
  /** How long to wait for the plug-in to answer at all; absent: the first call finds out. */
  readonly readyWithinMs?: number;
}

const UNIMPLEMENTED = 12;
const grpcCodes = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
] as const;

/** Connects to a socket; the gRPC library is loaded by the first connection of the process. */
export async function connectPlugin<Calls>(options: ConnectOptions): Promise<PluginConnection<Calls>> {
  const { socket, service, clock, timeoutMs = 120_000 } = options;
  const [{ Client, Metadata, credentials }, { fromJSON }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ]);
  const methods = fromJSON(rpcNamespace(service), { keepCase: true, longs: Number, defaults: true })[
    service.name
  ] as MethodTable;
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.default_authority': 'localhost',
    'grpc.enable_http_proxy': 0,
    // A plug-in that comes back is not to wait for the back-off of its predecessor.
    'grpc.use_local_subchannel_pool': 1,
  });

  if (options.readyWithinMs !== undefined) await ready(client, socket, clock.now() + options.readyWithinMs);

  function method(name: string): MethodTable[string] {
    const found = methods[name];
    if (!found) throw new PluginError(`the node speaks no ${service.name}/${name}`);
    return found;
  }

  return {
    call: <Name extends keyof Calls & string>(name: Name, request: RequestOf<Calls, Name>) => {
      const { path, requestSerialize, responseDeserialize } = method(name);
      return new Promise<ResponseOf<Calls, Name>>((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          new Metadata(),
          { deadline: clock.now() + timeoutMs },
          (error, response) => {
            if (!error) resolve(response as ResponseOf<Calls, Name>);
            else
              reject(
                new PluginError(
                  `rpc error: code = ${grpcCodes[error.code] ?? error.code} desc = ${error.details}`,
                  { cause: error },
                ),
              );
          },
        );
      });
    },
    watch(name, request, { onMessage, onEnd }) {
      const { path, requestSerialize, responseDeserialize } = method(name);
      const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
      let ended = false;
      const end = (why: 'ended' | 'unimplemented'): void => {
        if (ended) return;
        ended = true;
        onEnd(why);
      };
      stream.on('data', onMessage);
      stream.on('error', (error: { readonly code?: number }) =>
        end(error.code === UNIMPLEMENTED ? 'unimplemented' : 'ended'),
      );
      stream.on('end', () => end('ended'));
      return {
        close() {
          ended = true;
          stream.cancel();
        },
      };
    },
    close: () => client.close(),
  };
}

function ready(client: RpcClient, socket: string, deadline: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(deadline, (cause) => {
      if (!cause) {
        resolve();
        return;
      }
      client.close();
      reject(new PluginError(`nothing answers at ${socket}: ${cause.message}`, { cause }));
    });
  });
}

type MethodTable = Extract<
  ReturnType<(typeof import('@grpc/proto-loader'))['fromJSON']>[string],
  Record<string, { path: string }>
>;
