import { join } from 'node:path';
import { ClusterError } from './cluster-error.ts';
import { readRecord } from './cluster-record.ts';
import type { Home } from './home.ts';

/** The administrator's kubeconfig of a cluster, whether it exists or not: beside its record, so that the caller of sudo can read it. */
export function adminKubeconfigFile(home: Home, name: string): string {
  return join(home.directory, 'clusters', `${name}.kubeconfig`);
}

/** The file of {@link adminKubeconfigFile}. Throws `NOT_FOUND` when there is no such cluster. */
export async function adminKubeconfigPath(home: Home, name: string): Promise<string> {
  const record = await readRecord(home, name);
  if (!record)
    throw new ClusterError(
      'NOT_FOUND',
      `there is no cluster named ${name}; \`kanoe up --name ${name}\` makes it, \`kanoe list\` shows those there are`,
    );
  return adminKubeconfigFile(home, name);
}
