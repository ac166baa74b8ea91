import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatIpv4, type Ipv4Range } from '../base/ipv4.ts';
import { NetworkError } from './network-error.ts';

/** What one sandbox has; plain JSON. */
interface Lease {
  /** A number; the network's first address is the gateway's and never leased. */
  readonly address: number;
  /** Whether the link was set up completely. */
  readonly attached: boolean;
  readonly hostPorts: readonly LeasedPort[];
}

export interface LeasedPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP?: string;
}

interface PoolFile {
  readonly last: number;
  readonly leases: Readonly<Record<string, Lease>>;
}

/** The addresses of one node, kept in a file. Freed addresses are given out again only after all others were. */
export interface AddressPool {
  readonly leases: ReadonlyMap<string, Lease>;
  /** The lease of a sandbox, or a new one that is not attached. Throws `NO_ADDRESS` when all are leased. */
  lease(sandboxId: string, hostPorts: readonly LeasedPort[]): Lease;
  /** Marks the lease's link as complete. */
  markAttached(sandboxId: string): void;
  /** Marks the lease's link as gone. */
  markDetached(sandboxId: string): void;
  release(sandboxId: string): void;
  /** Resolves when the file holds the present state; it is replaced atomically. */
  save(): Promise<void>;
}

/** Opens the pool of `range`; leases of other ranges that the file may hold are forgotten. */
export async function openAddressPool(file: string, range: Ipv4Range): Promise<AddressPool> {
  const first = range.network + 2;
  const end = range.network + range.size - 1;
  const stored = await readPool(file);
  const inside = (address: number): boolean => address >= first && address < end;
  const leases = new Map(Object.entries(stored.leases).filter(([, lease]) => inside(lease.address)));
  let last = inside(stored.last) ? stored.last : first - 1;
  let writing: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;

  function next(): number {
    const taken = new Set([...leases.values()].map((lease) => lease.address));
    for (let step = 1; step <= end - first; step++) {
      const address = first + ((last - first + step) % (end - first));
      if (!taken.has(address)) return address;
    }
    throw new NetworkError(
      'NO_ADDRESS',
      `no address is free in ${formatIpv4(range.network)}/${range.prefix}: all ${end - first} belong to pods`,
    );
  }

  function mark(sandboxId: string, change: Pick<Lease, 'attached'>): void {
    const lease = leases.get(sandboxId);
    if (lease) leases.set(sandboxId, { ...lease, ...change });
  }

  async function write(): Promise<void> {
    const content: PoolFile = { last, leases: Object.fromEntries(leases) };
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.tmp`, JSON.stringify(content), { mode: 0o600 });
    await rename(`${file}.tmp`, file);
  }

  function save(): Promise<void> {
    if (!writing) {
      writing = write().finally(() => (writing = undefined));
      return writing;
    }
    waiting ??= writing
      .catch(() => {})
      .then(() => {
        waiting = undefined;
        return save();
      });
    return waiting;
  }

  return {
    leases,
    save,
    lease(sandboxId, hostPorts) {
      const current = leases.get(sandboxId);
      if (current) return current;
      last = next();
      const lease = { address: last, attached: false, hostPorts };
      leases.set(sandboxId, lease);
      return lease;
    },
    markAttached: (sandboxId) => mark(sandboxId, { attached: true }),
    markDetached: (sandboxId) => mark(sandboxId, { attached: false }),
    release: (sandboxId) => void leases.delete(sandboxId),
  };
}

async function readPool(file: string): Promise<PoolFile> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? { last: 0, leases: {} } : (JSON.parse(text) as PoolFile);
}
