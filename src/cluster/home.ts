import { readFileSync, statSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where Kanoe keeps what belongs to a person rather than to one cluster. */
export interface Home {
  /** `$KANOE_HOME`, else `.kanoe` in the person's home directory. */
  readonly directory: string;
  /** The person's own kubeconfig: the first file of `$KUBECONFIG`, else `~/.kube/config`. */
  readonly kubeconfig: string;
  /** Whom new files must belong to: the caller of sudo. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Finds the person behind a process: under sudo that is the caller, not root. */
export function findHome(env: Environment): Home {
  const caller = sudoCaller(env);
  const personal = caller?.home ?? env['HOME'] ?? homedir();
  return {
    directory: env['KANOE_HOME'] ?? join(personal, '.kanoe'),
    kubeconfig:
      env['KUBECONFIG']?.split(':').find((path) => path !== '') ?? join(personal, '.kube', 'config'),
    ...(caller && { owner: { uid: caller.uid, gid: caller.gid } }),
  };
}

/** Makes the folders of a home, owned by the person. */
export async function prepareHome({ directory, owner }: Home): Promise<void> {
  for (const folder of [directory, ...['clusters', 'data', 'logs'].map((name) => join(directory, name))]) {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined && owner) await chown(folder, owner.uid, owner.gid);
  }
}

interface Caller {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** sudo may keep `HOME` or set it to root's; one that belongs to the caller is the caller's. */
function sudoCaller(env: Environment): Caller | undefined {
  const uid = Number(env['SUDO_UID']);
  if (process.getuid?.() !== 0 || !env['SUDO_UID'] || !Number.isInteger(uid) || uid === 0) return undefined;
  const kept = env['HOME'] !== undefined && ownerOf(env['HOME']) === uid ? env['HOME'] : undefined;
  const known = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, , id]) => Number(id) === uid);
  const home = kept ?? known?.[5];
  return home ? { uid, gid: Number(env['SUDO_GID'] ?? known?.[3] ?? uid), home } : undefined;
}

function ownerOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.uid;
}
