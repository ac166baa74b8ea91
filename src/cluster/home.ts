import { readFileSync } from 'node:fs';
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

function sudoCaller(env: Environment): { uid: number; gid: number; home: string } | undefined {
  const uid = Number(env['SUDO_UID']);
  if (process.getuid?.() !== 0 || !env['SUDO_UID'] || !Number.isInteger(uid) || uid === 0) return undefined;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [, , id, gid, , home] = line.split(':');
    if (Number(id) === uid && home) return { uid, gid: Number(env['SUDO_GID'] ?? gid), home };
  }
  return undefined;
}
