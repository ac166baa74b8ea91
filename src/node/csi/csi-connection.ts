import type { Clock } from '../../base/clock.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { csiProtocol, type CsiCalls, type PluginInfo } from './csi-protocol.ts';

/** A connection to the socket of a plug-in, made at the first call and again when it breaks. */
export interface CsiConnection {
  /** Calls the driver's node service. Throws `VolumeError` with the driver's words. */
  call<Name extends keyof CsiCalls>(name: Name, request: CsiCalls[Name][0]): Promise<CsiCalls[Name][1]>;
  /** What the plug-in wants to be registered as. */
  pluginInfo(): Promise<PluginInfo>;
  /** Tells a plug-in whether it has been registered. */
  registered(problem: string | undefined): Promise<void>;
  close(): void;
}

const TIMEOUT_MS = 120_000;
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
export async function connectCsi(socket: string, clock: Clock): Promise<CsiConnection> {
  const [{ Client, Metadata, credentials }, { fromJSON }] = await Promise.all([
    import('@grpc/grpc-js'),
    import('@grpc/proto-loader'),
  ]);
  const definition = fromJSON(csiProtocol(), { keepCase: true, longs: Number, defaults: true });
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.default_authority': 'localhost',
    'grpc.enable_http_proxy': 0,
  });

  function call(service: string, name: string, request: object): Promise<unknown> {
    const methods = definition[service] as Methods | undefined;
    const method = methods?.[name];
    if (!method) throw new VolumeError(`the node speaks no ${service}/${name}`);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        new Metadata(),
        { deadline: clock.now() + TIMEOUT_MS },
        (error, response) => {
          if (!error) resolve(response);
          else
            reject(
              new VolumeError(
                `rpc error: code = ${grpcCodes[error.code] ?? error.code} desc = ${error.details}`,
                { cause: error },
              ),
            );
        },
      );
    });
  }

  return {
    call: async <Name extends keyof CsiCalls>(name: Name, request: CsiCalls[Name][0]) =>
      (await call('csi.v1.Node', name, request)) as CsiCalls[Name][1],
    pluginInfo: async () => (await call('pluginregistration.Registration', 'GetInfo', {})) as PluginInfo,
    async registered(problem) {
      const status = { plugin_registered: problem === undefined, error: problem ?? '' };
      await call('pluginregistration.Registration', 'NotifyRegistrationStatus', status);
    },
    close: () => client.close(),
  };
}

type Methods = Extract<
  ReturnType<(typeof import('@grpc/proto-loader'))['fromJSON']>[string],
  Record<string, { path: string }>
>;
