import { join } from 'node:path';
import { backoffMs } from '../base/backoff.ts';
import { sleep, type Clock } from '../base/clock.ts';
import { formatIpv4 } from '../base/ipv4.ts';
import { formatIpv6Range } from '../base/ipv6.ts';
import { pairedAddress, pairedRange } from '../base/paired-ranges.ts';
import { services } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import { addGateway, ensureClusterLink, requireRange } from './cluster-link.ts';
import { createPodNetwork, type NodePodNetwork } from './create-pod-network.ts';
import { createForeignPodNetwork, type ForeignPodNetwork } from './foreign-pod-network.ts';
import { createNetworkEngine, type NetworkEngine } from './engine/network-engine.ts';
import { createWorkerNetworkEngine } from './engine/worker-network-engine.ts';
import { ensureDnsService } from './ensure-dns-service.ts';
import { HealthCheckPorts } from './health-check-ports.ts';
import { loadBalancerRange } from './load-balancer-range.ts';
import { ipv6SideOf, type Ipv6Networks } from './ipv6-side.ts';
import { createIsolatedNodes, type IsolatedNodes } from './isolated-nodes.ts';
import { NetworkError } from './network-error.ts';
import { ownPlace, type NetworkPlace } from './network-place.ts';
import { startNftablesProxy } from './nftables/nftables-proxy.ts';
import { admitPods } from './policies/admit-pods.ts';
import {
  enforcePolicies,
  nameServerPod,
  policyHindrance,
  type EnforcePoliciesOptions,
} from './policies/enforce-policies.ts';
import type { PolicyTracker } from './policies/policy-tracker.ts';
import { reportUnenforced, unenforcedLimitation } from './policies/report-unenforced.ts';
import { removeNetwork } from './remove-network.ts';
import type { PortConflict, ServiceProxy } from './service-proxy.ts';
import { ServiceTracker } from './service-tracker.ts';

export interface NetworkOptions {
  /** Six hexadecimal digits. */
  readonly clusterId: string;
  readonly client: Client;
  /** Started here for what the network watches; stopped by whoever made it. */
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  /** Addresses of pods: at most a /22. Each node has a /24 of it; the last /24 is for load balancers. */
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** Of a cluster of two families: a pod has the IPv6 address that goes with its other (see `RangePair`). */
  readonly ipv6?: Ipv6Networks;
  /** The API server's port, which pods reach on this machine as network policies allow. */
  readonly apiPort?: number;
  /** Holds which pod has which address. */
  readonly directory: string;
  /** `auto` takes nftables where it works. */
  readonly proxy: 'auto' | 'nftables' | 'userspace';
  /** The built `bin/network-worker`; without it DNS and the user-space proxy run in this thread. */
  readonly workerFile?: string;
  /** Default `cluster.local`. */
  readonly domain?: string;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** Hears of what failed and is tried again. */
  onError?(error: unknown): void;
  /** Hears that a load balancer's port of the machine is somebody else's; at its own address it answers all the same. */
  onBalancerPortTaken?(service: string, port: number): void;
}

/** A cluster's network on this machine. */
export interface Network {
  /** An address of this machine that pods reach: that of the cluster's link. */
  readonly address: string;
  /** The name server of pods. */
  readonly dnsAddress: string;
  readonly proxy: 'nftables' | 'userspace';
  /** What cannot be done on this machine. */
  readonly limitations: readonly string[];
  /** Resolves when the services that exist are in force and DNS answers at {@link dnsAddress}; rejects when stopped before. */
  readonly ready: Promise<void>;
  /** The network of a node's pods; `podCidr` is the node's. */
  podNetworkFor(nodeName: string, podCidr: string): Promise<NodePodNetwork>;
  /** The nodes with network namespaces of their own; absent where services are not carried by nftables. */
  readonly isolatedNodes?: IsolatedNodes;
  /** Forgets a node that shares the machine's network. */
  removeNode(nodeName: string): void;
  /** The same for a node whose pods are connected by something else. */
  foreignPodNetworkFor(nodeName: string, podCidr: string): Promise<ForeignPodNetwork>;
  /** The gateway of a node's pods, which is also the node's own address. */
  gatewayOf(podCidr: string): string;
  /** Ends what this process does; links of pods and rules in the kernel stay, so that containers go on talking. */
  stop(): Promise<void>;
}

/**
 * Starts the network of a cluster, or takes over what an earlier process left. Throws `NetworkError`: `RANGE_IN_USE` and
 * `INVALID_RANGE` call for other ranges.
 */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const { clusterId, clock, client, informers } = options;
  const podRange = requireRange(options.podCidr);
  const serviceRange = requireRange(options.serviceCidr);
  const balancerRange = loadBalancerRange(podRange);
  const address = formatIpv4(podRange.network + 1);
  const dnsAddress = formatIpv4(serviceRange.network + 10);
  const onError = (error: unknown): void => options.onError?.(error);
  const onConflict = (conflict: PortConflict): void => report(conflict, options);
  const ipv6 = options.ipv6 && ipv6SideOf(podRange, options.ipv6);
  const pair = ipv6?.pods;
  const ranges = { clusterId, podRange, serviceRange, balancerRange, ipv6 };

  const engine = options.workerFile
    ? createWorkerNetworkEngine({ workerFile: options.workerFile, onConflict, onCrash: onError })
    : createNetworkEngine(clock, onConflict);
  const stopping = new AbortController();

  try {
    const kernel = options.proxy === 'userspace' ? undefined : await startKernelProxy();
    const proxy = kernel ?? (await startSocketProxy(engine));
    if (!kernel) await ensureClusterLink({ ...ranges, serviceAddresses: 'local' });
    const domain = options.domain ?? 'cluster.local';
    const port = await engine.startDns({
      address,
      port: 53,
      domain,
      ranges: [
        options.podCidr,
        options.serviceCidr,
        ...(ipv6 ? [formatIpv6Range(ipv6.pods.ipv6), formatIpv6Range(ipv6.serviceRange)] : []),
      ],
      resolvConf: options.resolvConf ?? '/etc/resolv.conf',
    });
    const healthChecks = new HealthCheckPorts({
      onConflict: (key, port) => report({ key, role: 'healthCheckNodePort', protocol: 'TCP', port }, options),
    });
    const tracker = new ServiceTracker({
      informers,
      clock,
      ...(ipv6 && { families: ['IPv4', 'IPv6'] }),
      onError,
      updateServices: (change) => proxy.update(change),
      updateDns: (change) => engine.updateDns(change),
      updateHealthCheck: (key, check) => healthChecks.set(key, check),
    });
    const policies = startPolicies(port, kernel, kernel ? undefined : await policyHindrance());
    informers.start();
    const ready = untilDone(() => ensureDnsService(client, { clusterIP: dnsAddress, address, port })).then(
      () => tracker.served('kube-system/kube-dns'),
    );
    ready.catch(() => {});
    const isolatedNodes = createIsolatedNodes({
      ...ranges,
      informers,
      clock,
      directory: options.directory,
      enforceAt: (place, localRange) =>
        enforceAt(place, port, {
          localRange,
          trusted: [address, ...(pair ? [pairedAddress(pair, podRange.network + 1)] : [])],
        }),
      onError,
    });
    return {
      address,
      dnsAddress,
      proxy: kernel ? 'nftables' : 'userspace',
      get limitations() {
        return [...proxy.limitations, ...policies.limitations];
      },
      ready,
      ...(kernel && { isolatedNodes }),
      removeNode: (nodeName) => tracker.removeNode(nodeName),
      async podNetworkFor(nodeName, podCidr) {
        const range = requireRange(podCidr);
        tracker.addNode({
          name: nodeName,
          range: podCidr,
          ...(pair && { ipv6Range: formatIpv6Range(pairedRange(pair, range)) }),
        });
        const pods = await createPodNetwork({
          clusterId,
          range,
          pair,
          file: join(options.directory, `addresses-${nodeName}.json`),
          onHostPorts: (mappings) => tracker.setHostPorts(nodeName, mappings),
        });
        return policies.tracker ? admitPods(pods, policies.tracker) : pods;
      },
      async foreignPodNetworkFor(nodeName, podCidr) {
        tracker.addNode({ name: nodeName, range: podCidr });
        await addGateway(clusterId, requireRange(podCidr).network + 1);
        return createForeignPodNetwork({
          onHostPorts: (mappings) => tracker.setHostPorts(nodeName, mappings),
          policies: policies.tracker,
        });
      },
      gatewayOf: (podCidr) => formatIpv4(requireRange(podCidr).network + 1),
      async stop() {
        stopping.abort(new Error('the network was stopped'));
        await isolatedNodes.stop();
        await policies.stop();
        await tracker.stop();
        healthChecks.close();
        await proxy.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }

  function startPolicies(
    dnsPort: number,
    kernel: ServiceProxy | undefined,
    hindrance: string | undefined,
  ): Policies {
    if (hindrance !== undefined) {
      const reporting = reportUnenforced({ informers, events: options.events, reason: hindrance });
      return {
        limitations: [unenforcedLimitation(hindrance)],
        stop: () => Promise.resolve(reporting.close()),
      };
    }
    const tracker = enforceAt(ownPlace(), dnsPort, {});
    return { tracker, limitations: kernel ? [] : [throughSockets], stop: () => tracker.stop() };
  }

  /** Enforces policies in a network namespace of this machine. */
  function enforceAt(
    place: NetworkPlace,
    dnsPort: number,
    more: Pick<EnforcePoliciesOptions, 'localRange' | 'trusted'>,
  ): PolicyTracker {
    const ports = [dnsPort, ...(options.apiPort === undefined ? [] : [options.apiPort])];
    return enforcePolicies({
      clusterId,
      informers,
      clock,
      podRange,
      pair,
      listeners: [
        { address, protocol: 'udp', port: dnsPort },
        ...ports.map((port) => ({ address, protocol: 'tcp', port }) as const),
      ],
      residents: [nameServerPod(address, dnsPort)],
      place,
      onError,
      ...more,
    });
  }

  async function startKernelProxy(): Promise<ServiceProxy | undefined> {
    const link = ensureClusterLink({ ...ranges, serviceAddresses: 'routed' });
    const [linked, started] = await Promise.allSettled([
      link,
      startNftablesProxy({ ...ranges, clock, onConflict }),
    ]);
    if (linked.status === 'rejected') {
      if (linked.reason instanceof NetworkError && linked.reason.code === 'RANGE_IN_USE')
        await removeNetwork({ clusterId });
      throw linked.reason;
    }
    if (started.status === 'fulfilled') return started.value;
    const error: unknown = started.reason;
    const fallsBack =
      options.proxy === 'auto' && error instanceof NetworkError && error.code.startsWith('TOOL_');
    if (!fallsBack) throw error;
    return undefined;
  }

  async function untilDone(act: () => Promise<void>): Promise<void> {
    for (let failures = 0; ; failures++) {
      stopping.signal.throwIfAborted();
      try {
        return await act();
      } catch (error) {
        onError(error);
        await sleep(clock, backoffMs({ baseMs: 20, maxMs: 5_000 }, failures + 1), stopping.signal);
      }
    }
  }

  async function startSocketProxy(engine: NetworkEngine): Promise<ServiceProxy> {
    const limitations = await engine.startProxy(clusterId);
    return {
      limitations,
      update: (change) => engine.updateServices(change),
      close: () => Promise.resolve(),
    };
  }
}

/** Connections that sockets of the machine carry come from the node, which policies let in everywhere. */
const throughSockets = 'network policies do not restrict connections through Services: sockets carry them';

interface Policies {
  /** Absent where policies are not enforced. */
  readonly tracker?: PolicyTracker;
  readonly limitations: readonly string[];
  stop(): Promise<void>;
}

type HealthCheckConflict = Omit<PortConflict, 'role'> & { readonly role: 'healthCheckNodePort' };

/** Says on the Service that one of its ports is somebody else's. A load balancer's port of the machine is only an extra. */
function report(
  { key, role, protocol, port }: PortConflict | HealthCheckConflict,
  options: NetworkOptions,
): void {
  if (role === 'loadBalancer') {
    options.onBalancerPortTaken?.(key.split('/').slice(0, 2).join('/'), port);
    return;
  }
  const message = `${role} ${port}/${protocol} is in use by another process of this machine`;
  const [namespace, name = ''] = key.split('/');
  const service = options.informers.for(services).get(namespace, name);
  if (service)
    options.events.record(service, 'Warning', 'PortInUse', `${message}; the service does not answer there`);
  else options.onError?.(new NetworkError('PORT_IN_USE', `${message}; ${key} does not answer there`));
}
