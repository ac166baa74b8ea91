import { join } from 'node:path';
import { ClusterError } from './cluster-error.ts';
import { readRecord } from './cluster-record.ts';
import type { Home } from './home.ts';

/** The file in a cluster's data directory that holds the administrator's kubeconfig. Throws `NOT_FOUND`. */
export async function adminKubeconfigPath(home: Home, name: string): Promise<string> {
  const record = await readRecord(home, name);
  if (!record)
    throw new ClusterError(
      'NOT_FOUND',
      `there is no cluster named ${name}; \`kanoe up --name ${name}\` makes it, \`kanoe list\` shows those there are`,
    );
  return join(record.dataDirectory, 'admin.kubeconfig');
}
