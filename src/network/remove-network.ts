import { readdir } from 'node:fs/promises';
import { clusterLinkName, forwardingMarker, nodeNamespacePrefix, tableName } from './link-names.ts';
import { setForwarding } from './link-settings.ts';
import { NetworkError } from './network-error.ts';
import { removeNamespaces } from './node-namespace.ts';
import { policyTable } from './policies/policy-table.ts';
import { runTool } from './run-tool.ts';

/**
 * Removes every link, route, address and rule of a cluster, found by its identifier alone; idempotent, and no process of
 * the cluster has to run. Forwarding is switched off again when Kanoe had switched it on and no other cluster is left.
 */
export async function removeNetwork(options: { readonly clusterId: string }): Promise<void> {
  const own = clusterLinkName(options.clusterId);
  const links = await readdir('/proc/sys/net/ipv4/conf').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const batch = links.filter((name) => name.startsWith(own)).map((name) => `link del ${name}\n`);
  if (batch.length > 0)
    await runTool('ip', ['-force', '-batch', '-'], batch.join('')).catch(unlessAllGone(own));
  const namespaces = await readdir('/run/netns').catch(() => []);
  const nodes = nodeNamespacePrefix(options.clusterId);
  await removeNamespaces(namespaces.filter((name) => name.startsWith(nodes)));
  const tables = await tableNames('ip');
  const policies = policyTable(options.clusterId);
  if ((await tableNames('inet')).includes(policies.replace('inet ', '')))
    await runTool('nft', ['delete', 'table', ...policies.split(' ')]);
  if (tables.includes(tableName(options.clusterId)))
    await runTool('nft', ['delete', 'table', 'ip', tableName(options.clusterId)]);
  const others = tables.filter(
    (name) => /^kanoe-[0-9a-f]{6}$/.test(name) && name !== tableName(options.clusterId),
  );
  if (tables.includes(forwardingMarker) && others.length === 0) {
    await setForwarding('0');
    await runTool('nft', ['delete', 'table', 'ip', forwardingMarker]);
  }
}

/** Links of pods vanish by themselves while their namespaces go. */
function unlessAllGone(own: string): (error: unknown) => Promise<void> {
  return async (error) => {
    const left = await readdir('/proc/sys/net/ipv4/conf');
    if (left.some((name) => name.startsWith(own))) throw error;
  };
}

async function tableNames(family: 'ip' | 'inet'): Promise<readonly string[]> {
  const prefix = `table ${family} `;
  try {
    const lines = (await runTool('nft', ['list', 'tables', family])).split('\n');
    return lines.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
  } catch (error) {
    if (error instanceof NetworkError) return [];
    throw error;
  }
}
