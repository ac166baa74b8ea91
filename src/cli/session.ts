import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import type { Client } from '../client/client.ts';
import type { Connection } from '../client/connection.ts';
import { createClient } from '../client/create-client.ts';
import { createRestMapper, discover, type RestMapper } from '../client/discovery.ts';
import { createHttpsTransport } from '../client/https-transport.ts';
import { connectionOf, readKubeconfigs } from '../client/kubeconfig-file.ts';
import { adminKubeconfigPath } from '../cluster/admin-kubeconfig.ts';
import type { CliContext } from './cli-context.ts';
import type { ClusterFlags } from './cluster-options.ts';

/** A conversation of one command with one API server. */
export interface Session {
  readonly connection: Connection;
  readonly client: Client;
  /** `--namespace`, else the context's, else `default`. */
  readonly namespace: string;
  /** What the server serves; asked for once. */
  mapper(): Promise<RestMapper>;
  /** Asks again: for kinds that were defined meanwhile. */
  freshMapper(): Promise<RestMapper>;
}

/** Runs a command's work against the cluster that its flags name. */
export async function withSession<T>(
  context: CliContext,
  flags: ClusterFlags,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const config = await readKubeconfigs(await kubeconfigFiles(context, flags));
  const connection = await connectionOf(config, flags.context);
  const chosen = flags.context ?? config['current-context'];
  const contextNamespace = config.contexts.find(({ name }) => name === chosen)?.context.namespace;
  const transport = createHttpsTransport(connection);
  const client = createClient(transport);
  let mapper: Promise<RestMapper> | undefined;
  const freshMapper = (): Promise<RestMapper> => {
    mapper = discover(transport, context.signal).then(createRestMapper);
    return mapper;
  };
  try {
    return await work({
      connection,
      client,
      namespace: flags.namespace ?? contextNamespace ?? 'default',
      mapper: () => mapper ?? freshMapper(),
      freshMapper,
    });
  } finally {
    await transport.close();
  }
}

/** The person's own files count only when asked for, so that no command meant for Kanoe's cluster reaches another one. */
async function kubeconfigFiles(context: CliContext, flags: ClusterFlags): Promise<readonly string[]> {
  if (flags.kubeconfig !== undefined) return [resolve(context.cwd, flags.kubeconfig)];
  if (flags.context === undefined) return [await adminKubeconfigPath(context.home, flags.name)];
  const named = (context.env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  return named.length > 0 ? named : [join(context.env['HOME'] ?? homedir(), '.kube', 'config')];
}
