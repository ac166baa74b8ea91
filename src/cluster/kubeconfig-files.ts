import { updateKubeconfig, writeKubeconfig } from '../client/kubeconfig-file.ts';
import { emptyKubeconfig, mergeContext, removeContext } from '../client/kubeconfig.ts';
import type { ContextEntry } from '../client/kubeconfig.ts';
import { adminKubeconfigFile } from './admin-kubeconfig.ts';
import type { ClusterRecord } from './cluster-record.ts';
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
  /** Write this file instead of the person's own. */
  readonly only?: string;
}

/**
 * Writes the administrator's kubeconfig, certificates inline, beside the cluster's record, and adds its context to the person's
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
  await writeKubeconfig(adminKubeconfigFile(home, plan.name), alone, home.owner);
  if (only !== undefined) {
    await writeKubeconfig(only, alone, home.owner);
    return undefined;
  }
  await updateKubeconfig(home.kubeconfig, (config) => mergeContext(config, entry), home.owner);
  return home.kubeconfig;
}

/** Takes the context of a cluster out of the file it was merged into, and leaves the rest as it is. */
export async function retractKubeconfig({
  name,
  mergedKubeconfig,
}: Pick<ClusterRecord, 'name' | 'mergedKubeconfig'>): Promise<void> {
  if (mergedKubeconfig)
    await updateKubeconfig(mergedKubeconfig, (config) => removeContext(config, contextName(name)));
}
