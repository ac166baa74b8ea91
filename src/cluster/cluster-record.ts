import { chown, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from './cluster-error.ts';
import { prepareHome } from './home.ts';
import type { Home } from './home.ts';
import { processIdentity } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** How long each stage of a start took, in milliseconds since the process began. */
export interface StartupTimes {
  readonly apiReadyMs?: number;
  readonly nodeReadyMs?: number;
  readonly dnsReadyMs?: number;
}

/** What is known of a cluster by its name alone; kept outside the data directory so that the name is enough to find it. */
export interface ClusterRecord {
  readonly name: string;
  /** Six hexadecimal digits; links, rules, cgroups and namespaces of the cluster carry it. */
  readonly id: string;
  readonly dataDirectory: string;
  /** Sockets, FIFOs and namespaces: gone after a reboot. */
  readonly runDirectory: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** The process that runs the cluster; absent when it was stopped in order. */
  readonly process?: ProcessIdentity;
  /** Address of the API server on this machine: `https://127.0.0.1:6443`. */
  readonly server?: string;
  /** Address of the API server for nodes elsewhere. */
  readonly advertised?: string;
  readonly runtime?: string;
  readonly nodes: number;
  /** Kubeconfig file into which a context was merged, to be removed by `down`. */
  readonly mergedKubeconfig?: string;
  /** Where a detached cluster writes what it has to say. */
  readonly logFile?: string;
  /** How long ending its pods in order may take. */
  readonly stopPatienceMs?: number;
  readonly startup: StartupTimes;
  /** What the cluster cannot do on this machine. */
  readonly limitations: readonly string[];
}

/** Names are used in file and context names. */
export function checkClusterName(name: string): void {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(name))
    throw new ClusterError(
      'INVALID_NAME',
      `cluster name ${JSON.stringify(name)} must have 1 to 40 lower case letters, digits and "-", and begin and end with a letter or digit`,
    );
}

function recordFile(home: Home, name: string): string {
  return join(home.directory, 'clusters', `${name}.json`);
}

/** The record of a name, or undefined when no cluster of that name was ever made (or it was purged). */
export async function readRecord(home: Home, name: string): Promise<ClusterRecord | undefined> {
  checkClusterName(name);
  const text = await readFile(recordFile(home, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ClusterError('UNREADABLE', `cannot read the record of cluster ${name}: ${error.message}`, {
      cause: error,
    });
  });
  return text === undefined ? undefined : (JSON.parse(text) as ClusterRecord);
}

/** All records, in order of their names. */
export async function listRecords(home: Home): Promise<readonly ClusterRecord[]> {
  const names = await readdir(join(home.directory, 'clusters')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const records: ClusterRecord[] = [];
  for (const file of names.filter((name) => name.endsWith('.json')).sort()) {
    const record = await readRecord(home, file.slice(0, -5));
    if (record) records.push(record);
  }
  return records;
}

/** Replaces the record of its name, whole. Under sudo it belongs to the caller. */
export async function writeRecord(home: Home, record: ClusterRecord): Promise<void> {
  const file = recordFile(home, record.name);
  await prepareHome(home);
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
  if (home.owner) await chown(temporary, home.owner.uid, home.owner.gid);
  await rename(temporary, file);
}

export async function removeRecord(home: Home, name: string): Promise<void> {
  await rm(recordFile(home, name), { force: true });
}

/** Whether the process of a record still runs. */
export async function isRunning(record: ClusterRecord): Promise<boolean> {
  if (!record.process) return false;
  const now = await processIdentity(record.process.pid);
  return now !== undefined && now.started === record.process.started;
}
