import type { Clock } from '../../../base/clock.ts';
import { RuntimeError, type RuntimeErrorCode } from '../../container-runtime.ts';
import type { CriMethods } from './messages.ts';
import { criNamespace, imageMethods } from './schema.ts';

export interface CallOptions {
  /** Default: two minutes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Who tells of containers: CRI's `GetContainerEvents`, or containerd's own events, which are older. */
export type EventSource = 'cri' | 'containerd';

/** A connection to a CRI endpoint. */
export interface CriConnection {
  /** Throws `CriError`. */
  call<Name extends keyof CriMethods>(
    method: Name,
    request: CriMethods[Name][0],
    options?: CallOptions,
  ): Promise<CriMethods[Name][1]>;
  /**
   * Listens to what the runtime tells of its containers: `cri` gives the id of one whose status is new, `containerd` only that
   * something is about to be. Calls `onEnd` once when that is over: `unimplemented` where the runtime tells nothing so.
   */
  events(
    source: EventSource,
    onEvent: (containerId: string | undefined) => void,
    onEnd: (why: 'unimplemented' | 'failed') => void,
  ): { close(): void };
  close(): void;
}

/** A call that failed: gRPC's number of the status and the runtime's words. */
export class CriError extends RuntimeError {
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(codes.get(status) ?? 'FAILED', message, options);
    this.status = status;
  }
}

/** Numbers of gRPC's status codes. */
export const criStatus = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

const codes: ReadonlyMap<number, RuntimeErrorCode> = new Map([
  [criStatus.notFound, 'NOT_FOUND'],
  [criStatus.unimplemented, 'UNSUPPORTED'],
]);

const timeoutMs = 120_000;

/**
 * Connects to `unix:///run/…/runtime.sock` (or a path). The gRPC library is loaded here, at the first connection. Nothing is
 * sent yet: an endpoint where nobody listens shows at the first call.
 */
export async function connectCri(endpoint: string, clock: Clock): Promise<CriConnection> {
  const [{ Client, Metadata, credentials }, { fromJSON }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ]);
  const definition = fromJSON(criNamespace(), {
    keepCase: true,
    longs: Number,
    enums: String,
    defaults: true,
  });
  const client = new Client(addressOf(endpoint), credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    // A runtime that was restarted is to be found again soon.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    // gRPC would send the socket's path, which containerd refuses as a host name.
    'grpc.default_authority': 'localhost',
    'grpc.enable_http_proxy': 0,
  });

  function methodOf(name: string): ReturnType<typeof serviceMethod> {
    return serviceMethod(definition, imageMethods.includes(name) ? 'ImageService' : 'RuntimeService', name);
  }

  return {
    call: (name, request, options = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = options;
        if (signal?.aborted) {
          reject(signal.reason as Error);
          return;
        }
        const method = methodOf(name);
        const call = client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          new Metadata(),
          { deadline: clock.now() + (options.timeoutMs ?? timeoutMs) },
          (error, response) => {
            signal?.removeEventListener('abort', cancel);
            if (signal?.aborted) reject(signal.reason as Error);
            else if (error) reject(criError(endpoint, error));
            else resolve(response as CriMethods[typeof name][1]);
          },
        );
        const cancel = (): void => call.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
      }),
    events(source, onEvent, onEnd) {
      const method = source === 'cri' ? methodOf('GetContainerEvents') : eventsMethod(definition);
      const stream = client.makeServerStreamRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        source === 'cri' ? {} : { filters: ['namespace==k8s.io,topic~="^/tasks/(exit|oom)"'] },
        new Metadata(),
      );
      let ended = false;
      const end = (why: 'unimplemented' | 'failed'): void => {
        if (!ended) onEnd(why);
        ended = true;
      };
      stream.on('data', (event: { readonly container_id?: string }) => onEvent(event.container_id));
      stream.on('error', (error: { readonly code?: number }) =>
        end(error.code === criStatus.unimplemented ? 'unimplemented' : 'failed'),
      );
      stream.on('end', () => end('failed'));
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

/** `unix:///run/x.sock` as gRPC wants it; a bare path means the same. */
function addressOf(endpoint: string): string {
  return endpoint.startsWith('/') ? `unix://${endpoint}` : endpoint;
}

type Definition = ReturnType<(typeof import('@grpc/proto-loader'))['fromJSON']>;
type Service = Extract<Definition[string], Record<string, { path: string }>>;

function serviceMethod(definition: Definition, service: string, name: string): Service[string] {
  return requireMethod(definition, `runtime.v1.${service}`, name);
}

function eventsMethod(definition: Definition): Service[string] {
  return requireMethod(definition, 'containerd.services.events.v1.Events', 'Subscribe');
}

function requireMethod(definition: Definition, service: string, name: string): Service[string] {
  const method = (definition[service] as Service | undefined)?.[name];
  if (!method) throw new RuntimeError('UNSUPPORTED', `${service} has no method ${name}`);
  return method;
}

interface GrpcFailure extends Error {
  readonly code: number;
  readonly details: string;
}

function criError(endpoint: string, error: GrpcFailure): CriError {
  const message =
    error.code === criStatus.unavailable
      ? `the container runtime at ${endpoint} does not answer: ${/connect \w+ \S+?(?=\.? |$)/.exec(error.details)?.[0] ?? 'no connection'}`
      : error.details;
  return new CriError(error.code, message, { cause: error });
}
