import { readFile } from 'node:fs/promises';
import { defaultNodeSettings, type NodeSettings } from '../node/settings/node-settings.ts';
import { ClusterError } from './cluster-error.ts';
import type { KubeletOptions } from './plan-cluster.ts';

/** How a person wants nodes to be. Throws `INVALID_OPTION`. */
export async function nodeSettings(kubelet: KubeletOptions | undefined): Promise<NodeSettings> {
  if (!kubelet) return defaultNodeSettings;
  const { configFile, flags } = kubelet;
  const where = configFile === undefined ? '--kubelet-arg' : `--kubelet-config ${configFile}`;
  const { readKubeletConfiguration } = await import('../node/settings/read-kubelet-configuration.ts');
  try {
    const text = configFile === undefined ? undefined : await readFile(configFile, 'utf8');
    return readKubeletConfiguration({ flags, ...(text !== undefined && { text }) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new ClusterError('INVALID_OPTION', `${where}: ${error.message}`, { cause: error });
  }
}
