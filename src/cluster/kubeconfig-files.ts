import { join } from 'node:path';
import { updateKubeconfig, writeKubeconfig } from '../client/kubeconfig-file.ts';
import { emptyKubeconfig, mergeContext } from '../client/kubeconfig.ts';
import type { ContextEntry } from '../client/kubeconfig.ts';
import { contextName } from './context-name.ts';
import type { Home } from './home.ts';
import type { ClusterPlan } from './plan-cluster.ts';
import type { Pki } from './pki.ts';

interface Publication {
  readonly home: Home;
  readonly plan: ClusterPlan;
  readonly pki: Pki;
  /** `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Write this file alone, beside the data directory's own. */
  readonly only?: string;
}

/**
 * Writes the administrator's kubeconfig, certificates inline, into the data directory, and adds its context to the person's
 * own kubeconfig or writes it to one file. Resolves to the file that a context was merged into.
 */
export async function publishKubeconfig({
  home,
  plan,
  pki,
  server,
  only,
}: Publication): Promise<string | undefined> {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const entry: ContextEntry = {
    name: contextName(plan.name),
    cluster: { server, 'certificate-authority-data': base64(pki.ca.cert) },
    user: { 'client-certificate-data': base64(pki.admin.cert), 'client-key-data': base64(pki.admin.key) },
  };
  const alone = mergeContext(emptyKubeconfig, entry);
  await writeKubeconfig(join(plan.dataDirectory, 'admin.kubeconfig'), alone);
  if (only !== undefined) {
    await writeKubeconfig(only, alone, home.owner);
    return undefined;
  }
  await updateKubeconfig(home.kubeconfig, (config) => mergeContext(config, entry), home.owner);
  return home.kubeconfig;
}
