/** A kubeconfig file (`v1 Config`): named clusters, users, and contexts that join them. Unknown members are kept. */
export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly NamedCluster[];
  readonly users: readonly NamedUser[];
  readonly contexts: readonly NamedContext[];
  readonly 'current-context'?: string;
  readonly [other: string]: unknown;
}

export interface NamedCluster {
  readonly name: string;
  readonly cluster: {
    readonly server: string;
    readonly 'certificate-authority'?: string;
    readonly 'certificate-authority-data'?: string;
    readonly 'insecure-skip-tls-verify'?: boolean;
    readonly 'tls-server-name'?: string;
  };
}

export interface NamedUser {
  readonly name: string;
  readonly user: {
    readonly 'client-certificate'?: string;
    readonly 'client-certificate-data'?: string;
    readonly 'client-key'?: string;
    readonly 'client-key-data'?: string;
    readonly token?: string;
    readonly tokenFile?: string;
    readonly username?: string;
    readonly password?: string;
  };
}

export interface NamedContext {
  readonly name: string;
  readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string };
}

/** One context with its cluster and user, under one name. */
export interface ContextEntry {
  readonly name: string;
  readonly cluster: NamedCluster['cluster'];
  readonly user: NamedUser['user'];
  readonly namespace?: string;
}

/** A kubeconfig that cannot be used; the message names the file and what is wrong. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
  readonly code = 'KUBECONFIG';
}

export const emptyKubeconfig: Kubeconfig = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [],
  users: [],
  contexts: [],
};

/** The file with the entry added, or replaced where the name exists, and made the current context. */
export function mergeContext(config: Kubeconfig, entry: ContextEntry): Kubeconfig {
  const { name, cluster, user, namespace } = entry;
  const context = { cluster: name, user: name, ...(namespace !== undefined && { namespace }) };
  return {
    ...config,
    clusters: replaced(config.clusters, { name, cluster }),
    users: replaced(config.users, { name, user }),
    contexts: replaced(config.contexts, { name, context }),
    'current-context': name,
  };
}

/** The file without the context, and without its cluster and user unless another context uses them. */
export function removeContext(config: Kubeconfig, name: string): Kubeconfig {
  const removed = config.contexts.find((context) => context.name === name);
  const contexts = config.contexts.filter((context) => context.name !== name);
  const { 'current-context': current, ...rest } = config;
  const unused = (
    used: (context: NamedContext) => string,
    candidate: string | undefined,
  ): string | undefined => (contexts.some((context) => used(context) === candidate) ? undefined : candidate);
  const cluster = unused(({ context }) => context.cluster, removed?.context.cluster ?? name);
  const user = unused(({ context }) => context.user, removed?.context.user ?? name);
  return {
    ...rest,
    contexts,
    clusters: config.clusters.filter((other) => other.name !== cluster),
    users: config.users.filter((other) => other.name !== user),
    ...(current !== undefined && current !== name && { 'current-context': current }),
  };
}

/** Files of a `KUBECONFIG` list as one: of entries with the same name, and of the current context, the first counts. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  return configs.reduceRight(
    (later, config) => ({
      ...later,
      ...config,
      clusters: config.clusters.reduce(replaced, later.clusters),
      users: config.users.reduce(replaced, later.users),
      contexts: config.contexts.reduce(replaced, later.contexts),
      ...(!config['current-context'] && later['current-context']
        ? { 'current-context': later['current-context'] }
        : {}),
    }),
    emptyKubeconfig,
  );
}

function replaced<T extends { readonly name: string }>(list: readonly T[], entry: T): readonly T[] {
  const position = list.findIndex((other) => other.name === entry.name);
  return position < 0 ? [...list, entry] : list.with(position, entry);
}
