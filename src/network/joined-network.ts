import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { formatIpv4 } from '../base/ipv4.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import { ensureClusterLink, requireRange } from './cluster-link.ts';
import { createPodNetwork, type NodePodNetwork } from './create-pod-network.ts';
import { loadBalancerRange } from './load-balancer-range.ts';
import { ownPlace } from './network-place.ts';
import { startNftablesProxy } from './nftables/nftables-proxy.ts';
import { followRoutes } from './follow-routes.ts';
import { admitPods } from './policies/admit-pods.ts';
import { enforcePolicies } from './policies/enforce-policies.ts';
import { ServiceTracker } from './service-tracker.ts';

export interface JoinedNetworkOptions {
  /** Six hexadecimal digits, of this node alone. */
  readonly id: string;
  readonly nodeName: string;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Of all pods of the cluster. */
  readonly podCidr: string;
  /** Of this node's. */
  readonly nodePodCidr: string;
  readonly serviceCidr: string;
  /** The node's own address. */
  readonly address: string;
  /** Holds which pod has which address. */
  readonly directory: string;
  onError(error: unknown): void;
}

/** The network of a machine that is one node of a cluster elsewhere. */
export interface JoinedNetwork {
  readonly pods: NodePodNetwork;
  /** Ends what this process does; links of pods and rules in the kernel stay. */
  stop(): Promise<void>;
}

/**
 * Links the pods of this machine, carries their services with nftables, enforces policies on them, and leads packets for pods
 * of other nodes to those. Throws `NetworkError`, `TOOL_MISSING` where there is no nft.
 */
export async function startJoinedNetwork(options: JoinedNetworkOptions): Promise<JoinedNetwork> {
  const { id: clusterId, nodeName, informers, clock, address, onError } = options;
  const podRange = requireRange(options.podCidr);
  const ownRange = requireRange(options.nodePodCidr);
  const serviceRange = requireRange(options.serviceCidr);
  const balancerRange = loadBalancerRange(podRange);
  await ensureClusterLink({
    clusterId,
    podRange: ownRange,
    serviceRange,
    balancerRange,
    serviceAddresses: 'routed',
  });
  const proxy = await startNftablesProxy({
    clusterId,
    podRange,
    serviceRange,
    balancerRange,
    clock,
    node: { address, podRange: ownRange },
    onConflict: ({ role, port, protocol, key }) =>
      onError(
        new Error(`${role} ${port}/${protocol} of ${key} is in use by another process of this machine`),
      ),
  });
  const tracker = new ServiceTracker({
    informers,
    clock,
    onError,
    node: nodeName,
    updateServices: (change) => proxy.update(change),
  });
  const place = ownPlace();
  const policies = enforcePolicies({
    clusterId,
    informers,
    clock,
    podRange,
    localRange: ownRange,
    listeners: [],
    residents: [],
    place,
    onError,
  });
  const routes = followRoutes({
    informers,
    source: formatIpv4(ownRange.network + 1),
    isElsewhere: ({ metadata }) => metadata.name !== nodeName,
    onError,
  });
  informers.start();
  const pods = await createPodNetwork({
    clusterId,
    range: ownRange,
    file: join(options.directory, `addresses-${nodeName}.json`),
    onHostPorts: (mappings) => tracker.setHostPorts(nodeName, mappings),
  });
  return {
    pods: admitPods(pods, policies),
    async stop() {
      await routes.stop();
      await policies.stop();
      await tracker.stop();
      await proxy.close();
    },
  };
}
