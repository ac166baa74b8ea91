import { readdir } from 'node:fs/promises';
import { disableForwarding } from './forwarding.ts';
import { clusterLinkName, forwardingMarker, nodeNamespacePrefix } from './link-names.ts';
import { NetworkError } from './network-error.ts';
import { removeNamespaces } from './node-namespace.ts';
import { serviceTableName } from './nftables/base-table.ts';
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
  const policies = policyTable(options.clusterId);
  const tables = await listTables();
  if (tables.includes(policies)) await runTool('nft', ['delete', 'table', ...policies.split(' ')]);
  for (const family of ['IPv4', 'IPv6'] as const) {
    const own = serviceTableName({ clusterId: options.clusterId, family });
    const [nft = ''] = own.split(' ');
    if (tables.includes(own)) await runTool('nft', ['delete', 'table', ...own.split(' ')]);
    const others = tables.filter((name) => /^ip6? kanoe-[0-9a-f]{6}$/.test(name) && name !== own);
    const left = others.some((name) => name.startsWith(`${nft} `));
    if (tables.includes(`${nft} ${forwardingMarker}`) && !left) await disableForwarding(family);
  }
}

/** Links of pods vanish by themselves while their namespaces go. */
function unlessAllGone(own: string): (error: unknown) => Promise<void> {
  return async (error) => {
    const left = await readdir('/proc/sys/net/ipv4/conf');
    if (left.some((name) => name.startsWith(own))) throw error;
  };
}

/** All tables with their families: `ip kanoe-ab12cd`. */
async function listTables(): Promise<readonly string[]> {
  const prefix = 'table ';
  try {
    const lines = (await runTool('nft', ['list', 'tables'])).split('\n');
    return lines.flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : []));
  } catch (error) {
    if (error instanceof NetworkError) return [];
    throw error;
  }
}
