import { configmaps, nodes } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/create-client.ts';
import { createHttpsTransport } from '../../client/https-transport.ts';
import { parseYaml } from '../../machinery/yaml/parse-yaml.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { ClusterError } from '../cluster-error.ts';
import type { KeyPair } from '../pki.ts';
import { formatToken, type BootstrapToken } from './bootstrap-token.ts';
import { discoverCluster } from './discover-cluster.ts';
import { requestCertificate } from './node-certificates.ts';

/** What a node has to know of the cluster's network. */
export interface ClusterSettings {
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
}

export interface JoinOptions {
  readonly server: string;
  readonly token: BootstrapToken;
  readonly pins: readonly string[];
  readonly nodeName: string;
  readonly lifetimeSeconds?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How a node has got into a cluster. */
export interface Membership {
  readonly ca: string;
  readonly pair: KeyPair;
}

/** Joins with a token: discovers the cluster and has the node's client certificate signed. Throws `FAILED` and `EXISTS`. */
export async function joinCluster(options: JoinOptions): Promise<Membership> {
  const { server, token, pins, nodeName, clock, signal, lifetimeSeconds } = options;
  const { ca } = await discoverCluster({ server, token, pins, signal });
  const transport = createHttpsTransport({ server, ca, token: formatToken(token) });
  const client = createClient(transport);
  try {
    await refuseTakenName(client, nodeName);
    const pair = await requestCertificate({
      client,
      clock,
      signal,
      nodeName,
      purpose: { kind: 'client' },
      ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
    });
    return { ca, pair };
  } finally {
    await transport.close();
  }
}

async function refuseTakenName(client: Client, name: string): Promise<void> {
  const held = await client
    .for(nodes)
    .get({ name })
    .catch((error: unknown) => {
      if (isStatus(error, 'NotFound') || isStatus(error, 'Forbidden')) return undefined;
      throw error;
    });
  const ready = held?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  if (ready)
    throw new ClusterError(
      'EXISTS',
      `the cluster has a node named ${name}, and it is Ready; give another --node-name, or delete that one first`,
    );
}

/** The settings that kubeadm, or \`kanoe token create\`, left for nodes; what is given wins. Throws `INVALID_OPTION` when any is unknown. */
export async function clusterSettings(
  client: Client,
  given: Partial<ClusterSettings>,
): Promise<ClusterSettings> {
  const read = async (name: string, key: string): Promise<Readonly<Record<string, unknown>>> => {
    const map = await client
      .for(configmaps)
      .get({ namespace: 'kube-system', name })
      .catch((error: unknown) => {
        if (isStatus(error, 'NotFound') || isStatus(error, 'Forbidden')) return undefined;
        throw error;
      });
    const parsed = parseYaml(map?.data?.[key] ?? '{}').value;
    return (parsed ?? {}) as Readonly<Record<string, unknown>>;
  };
  const complete =
    given.podCidr !== undefined && given.serviceCidr !== undefined && given.clusterDns !== undefined;
  const [cluster, kubelet] = complete
    ? [{}, {}]
    : await Promise.all([read('kubeadm-config', 'ClusterConfiguration'), read('kubelet-config', 'kubelet')]);
  const networking = (cluster['networking'] ?? {}) as Readonly<Record<string, string>>;
  const podCidr = given.podCidr ?? networking['podSubnet'];
  const serviceCidr = given.serviceCidr ?? networking['serviceSubnet'];
  const clusterDns = given.clusterDns ?? (kubelet['clusterDNS'] as readonly string[] | undefined);
  if (podCidr === undefined || serviceCidr === undefined || clusterDns === undefined)
    throw new ClusterError(
      'INVALID_OPTION',
      'the cluster does not say (in kube-system/kubeadm-config and kubelet-config) which networks it uses; give --pod-cidr, --service-cidr and --cluster-dns',
    );
  if (podCidr.includes(',') || serviceCidr.includes(','))
    throw new ClusterError(
      'INVALID_OPTION',
      `the cluster has IPv4 and IPv6 networks (pods ${podCidr}): nodes on other machines join clusters of IPv4 only`,
    );
  return {
    podCidr,
    serviceCidr,
    clusterDns,
    clusterDomain: given.clusterDomain ?? networking['dnsDomain'] ?? 'cluster.local',
  };
}
