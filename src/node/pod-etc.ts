import { readFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../api/core/v1.gen.ts';
import { isMissing } from './missing-file.ts';

/** The cluster's name service as pods see it. */
export interface PodDns {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}

/** The pod's host name and, with a subdomain, its full name. */
export function podHostname(
  pod: Pod,
  clusterDomain: string,
): { readonly hostname: string; readonly fqdn: string | undefined } {
  const { hostname, subdomain, hostnameOverride } = pod.spec ?? {};
  if (hostnameOverride !== undefined && hostnameOverride !== '')
    return { hostname: hostnameOverride, fqdn: undefined };
  const short = (hostname !== undefined && hostname !== '' ? hostname : (pod.metadata.name ?? ''))
    .slice(0, 63)
    .replace(/[-.]+$/, '');
  if (subdomain === undefined || subdomain === '') return { hostname: short, fqdn: undefined };
  return { hostname: short, fqdn: `${short}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` };
}

/** What `hostname` prints in the pod: the short name, or the full one when the spec asks for it. */
export function kernelHostname(pod: Pod, clusterDomain: string): string {
  const { hostname, fqdn } = podHostname(pod, clusterDomain);
  return pod.spec?.setHostnameAsFQDN === true && fqdn !== undefined ? fqdn : hostname;
}

/** `/etc/hosts` of a pod with its own network. */
export function hostsFile(pod: Pod, ips: readonly string[], clusterDomain: string): string {
  const { hostname, fqdn } = podHostname(pod, clusterDomain);
  const names = fqdn === undefined ? hostname : `${fqdn}\t${hostname}`;
  const lines = [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...ips.map((ip) => `${ip}\t${names}`),
  ];
  return `${lines.join('\n')}\n${aliasLines(pod)}`;
}

/** `/etc/hosts` of a pod on the node's network. */
export function hostNetworkHostsFile(pod: Pod, nodeFile: string): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliasLines(pod)}`;
}

function aliasLines(pod: Pod): string {
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length === 0) return '';
  const lines = aliases.map((alias) => `${alias.ip}\t${(alias.hostnames ?? []).join('\t')}`);
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`;
}

/** `/etc/resolv.conf` by `dnsPolicy` and `dnsConfig`; `nodeFile` is the node's own. */
export function resolvConf(pod: Pod, dns: PodDns, nodeFile: string): string {
  const base = baseResolver(pod, dns, parseResolvConf(nodeFile));
  const own = pod.spec?.dnsConfig ?? {};
  const nameservers = unique([...base.nameservers, ...(own.nameservers ?? [])]);
  const searches = unique([...base.searches, ...(own.searches ?? [])]);
  const options = new Map(base.options);
  for (const { name = '', value } of own.options ?? []) options.set(name, value);
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...nameservers.map((server) => `nameserver ${server}`),
    ...(options.size > 0
      ? [
          `options ${[...options].map(([name, value]) => (value === undefined ? name : `${name}:${value}`)).join(' ')}`,
        ]
      : []),
  ];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

interface Resolver {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: ReadonlyMap<string, string | undefined>;
}

function baseResolver(pod: Pod, dns: PodDns, node: Resolver): Resolver {
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { nameservers: [], searches: [], options: new Map() };
  const cluster =
    policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && pod.spec?.hostNetwork !== true);
  if (!cluster || dns.clusterDns.length === 0) return node;
  const namespace = pod.metadata.namespace ?? 'default';
  const zone = dns.clusterDomain;
  return {
    nameservers: dns.clusterDns,
    searches: [`${namespace}.svc.${zone}`, `svc.${zone}`, zone, ...node.searches],
    options: new Map([['ndots', '5']]),
  };
}

function parseResolvConf(text: string): Resolver {
  const nameservers: string[] = [];
  let searches: readonly string[] = [];
  const options = new Map<string, string | undefined>();
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) nameservers.push(values[0]);
    if (keyword === 'search') searches = values.filter((domain) => domain !== '.');
    if (keyword === 'options') {
      for (const option of values) {
        const [name = '', value] = option.split(':');
        options.set(name, value);
      }
    }
  }
  return { nameservers, searches, options };
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

/** Writes `hosts`, `hostname` and `resolv.conf` of a pod into `directory`, for its containers to mount. */
export async function writePodEtc(
  directory: string,
  pod: Pod,
  options: { readonly ips: readonly string[]; readonly dns: PodDns },
): Promise<void> {
  const { dns, ips } = options;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const hosts =
    pod.spec?.hostNetwork === true
      ? hostNetworkHostsFile(pod, await readNodeFile('/etc/hosts'))
      : hostsFile(pod, ips, dns.clusterDomain);
  const hostname = kernelHostname(pod, dns.clusterDomain);
  await Promise.all([
    writeFile(join(directory, 'hosts'), hosts, { mode: 0o644 }),
    writeFile(join(directory, 'hostname'), `${hostname}\n`, { mode: 0o644 }),
    writeFile(join(directory, 'resolv.conf'), resolvConf(pod, dns, await readNodeFile('/etc/resolv.conf')), {
      mode: 0o644,
    }),
  ]);
}

async function readNodeFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
