import { chown, lstat, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseYaml } from '../machinery/yaml/parse-yaml.ts';
import { toYaml } from '../machinery/yaml/to-yaml.ts';
import type { Connection } from './connection.ts';
import { emptyKubeconfig, KubeconfigError, mergeKubeconfigs, type Kubeconfig } from './kubeconfig.ts';

/** Who should own a file that is created. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Reads a kubeconfig; undefined when there is no such file. File names in it become absolute. Throws {@link KubeconfigError}. */
export async function readKubeconfig(file: string): Promise<Kubeconfig | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  const value = text.trim() === '' ? {} : parseYaml(text, { file }).value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new KubeconfigError(`${file}: a kubeconfig is a mapping with clusters, users and contexts`);
  }
  const config = value as Partial<Kubeconfig>;
  return {
    ...emptyKubeconfig,
    ...config,
    clusters: config.clusters ?? [],
    users: config.users ?? [],
    contexts: config.contexts ?? [],
  };
}

/** Reads a list of files as one, those that do not exist left out. */
export async function readKubeconfigs(files: readonly string[]): Promise<Kubeconfig> {
  const configs = await Promise.all(
    files.map(async (file) => {
      const config = await readKubeconfig(file);
      return config && withAbsolutePaths(config, path.dirname(path.resolve(file)));
    }),
  );
  return mergeKubeconfigs(configs.filter((config) => config !== undefined));
}

/** Changes a kubeconfig in one step: readers see the old file or the new one. A file made anew is 0600 and `owner`'s. */
export async function updateKubeconfig(
  file: string,
  change: (config: Kubeconfig) => Kubeconfig,
  owner?: FileOwner,
): Promise<void> {
  const current = await readKubeconfig(file);
  await writeKubeconfig(file, change(current ?? emptyKubeconfig), owner);
}

/** Writes a kubeconfig, atomically, 0600. An existing file keeps its owner. */
export async function writeKubeconfig(file: string, config: Kubeconfig, owner?: FileOwner): Promise<void> {
  const target = await realpath(file).catch(() => path.resolve(file));
  await makeDirectory(path.dirname(target), owner);
  const existing = await stat(target).catch(() => undefined);
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, toYaml(config), { mode: 0o600, flag: 'wx' });
    const keeper = existing ?? owner;
    if (keeper && process.getuid?.() === 0) await chown(temporary, keeper.uid, keeper.gid);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function makeDirectory(directory: string, owner: FileOwner | undefined): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined || !owner || process.getuid?.() !== 0) return;
  for (let made = directory; made.length >= first.length; made = path.dirname(made)) {
    await chown(made, owner.uid, owner.gid);
  }
}

/** How to reach the server of a context (the current one by default), its certificate files read. Throws {@link KubeconfigError}. */
export async function connectionOf(config: Kubeconfig, contextName?: string): Promise<Connection> {
  const wanted = contextName ?? config['current-context'];
  if (!wanted)
    throw new KubeconfigError('no current context is set; choose one, or start a cluster with "kanoe up"');
  const context = named(config.contexts, wanted, 'context').context;
  const { cluster } = named(config.clusters, context.cluster, 'cluster');
  const { user } = named(config.users, context.user, 'user');
  const ca = await pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = await pem(user['client-certificate-data'], user['client-certificate']);
  const key = await pem(user['client-key-data'], user['client-key']);
  const token = user.token ?? (user.tokenFile ? (await readNamed(user.tokenFile)).trim() : undefined);
  return {
    server: cluster.server,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(token !== undefined && { token }),
    ...(user.username !== undefined && { username: user.username }),
    ...(user.password !== undefined && { password: user.password }),
    ...(cluster['tls-server-name'] !== undefined && { tlsServerName: cluster['tls-server-name'] }),
    ...(cluster['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
  };
}

function named<T extends { readonly name: string }>(list: readonly T[], name: string, what: string): T {
  const found = list.find((entry) => entry.name === name);
  if (found) return found;
  const known = list.map((entry) => entry.name).join(', ');
  throw new KubeconfigError(
    `there is no ${what} "${name}" in the kubeconfig${known ? `; there are: ${known}` : ''}`,
  );
}

async function pem(data: string | undefined, file: string | undefined): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return file ? await readNamed(file) : undefined;
}

async function readNamed(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KubeconfigError(`cannot read ${file}, which the kubeconfig names`, { cause });
  }
}

async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && !(await exists(file))) return undefined;
    throw new KubeconfigError(`cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Whether something, if only a dangling link, has that name. */
async function exists(file: string): Promise<boolean> {
  return await lstat(file).then(
    (found) => !found.isSymbolicLink(),
    () => false,
  );
}

/** File names in a kubeconfig are relative to it. */
function withAbsolutePaths(config: Kubeconfig, directory: string): Kubeconfig {
  const absolute = <T extends object>(entry: T, keys: readonly (keyof T)[]): T => {
    const changes = keys.flatMap((key) => {
      const value = entry[key];
      return typeof value === 'string' && value !== '' ? [[key, path.resolve(directory, value)]] : [];
    });
    return { ...entry, ...(Object.fromEntries(changes) as Partial<T>) };
  };
  return {
    ...config,
    clusters: config.clusters.map(({ name, cluster }) => ({
      name,
      cluster: absolute(cluster, ['certificate-authority']),
    })),
    users: config.users.map(({ name, user }) => ({
      name,
      user: absolute(user, ['client-certificate', 'client-key', 'tokenFile']),
    })),
  };
}
