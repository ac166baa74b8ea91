import type { fromJSON } from '@grpc/proto-loader';

export type Namespace = Parameters<typeof fromJSON>[0];

/** The members of a message: `TYPE NUMBER`, `repeated TYPE NUMBER`, `map NUMBER` (of strings to strings) or `map TYPE NUMBER`. */
export type Members = Readonly<Record<string, string>>;

/** Methods of a service, each with the messages that it takes and gives; `stream` gives many. */
export type Methods = Readonly<Record<string, readonly [request: string, response: string, kind?: 'stream']>>;

/** A gRPC service as a node speaks it. */
export interface RpcService {
  /** With its package: `csi.v1.Node`. */
  readonly name: string;
  readonly methods: Methods;
  readonly messages: Readonly<Record<string, Members>>;
  /** Which members of a message exclude each other. */
  readonly choices?: Readonly<Record<string, readonly string[]>>;
}

/** A service's protobuf definition. */
export function rpcNamespace({ name, methods, messages, choices = {} }: RpcService): Namespace {
  const [service = '', ...packages] = name.split('.').toReversed();
  const types = Object.entries(messages).map(([message, members]) => {
    const fields = Object.entries(members).map(([field, words]) => [field, fieldOf(words)] as const);
    const choice = choices[message];
    return [
      message,
      { fields: Object.fromEntries(fields), ...(choice && { oneofs: { choice: { oneof: [...choice] } } }) },
    ] as const;
  });
  const calls = Object.entries(methods).map(
    ([method, [requestType, responseType, kind]]) =>
      [method, { requestType, responseType, responseStream: kind === 'stream', comment: '' }] as const,
  );
  let nested: NonNullable<Namespace['nested']> = {
    ...Object.fromEntries(types),
    [service]: { methods: Object.fromEntries(calls) },
  };
  for (const part of packages) nested = { [part]: { nested } };
  return { nested };
}

function fieldOf(words: string): { type: string; id: number; rule?: string; keyType?: string } {
  const parts = words.split(' ');
  const id = Number(parts.at(-1));
  if (parts[0] === 'map')
    return { keyType: 'string', type: parts.length > 2 ? (parts[1] ?? '') : 'string', id };
  if (parts[0] === 'repeated') return { rule: 'repeated', type: parts[1] ?? '', id };
  return { type: parts[0] ?? '', id };
}
