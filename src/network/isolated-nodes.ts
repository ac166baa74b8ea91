import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { formatIpv4, formatIpv4Range, parseIpv4, type Ipv4Range } from '../base/ipv4.ts';
import { formatIpv6Range } from '../base/ipv6.ts';
import { pairedAddress, pairedRange } from '../base/paired-ranges.ts';
import type { InformerFactory } from '../reconcile/informer.ts';
import { requireRange } from './cluster-link.ts';
import { createPodNetwork, type NodePodNetwork } from './create-pod-network.ts';
import type { Ipv6Side } from './ipv6-side.ts';
import { clusterLinkName } from './link-names.ts';
import { ownPlace, type NetworkPlace } from './network-place.ts';
import { startNftablesProxy } from './nftables/nftables-proxy.ts';
import {
  addNodeRoutes,
  ensureNodeNamespace,
  nodeAddressRange,
  removeNodeNamespace,
  removeNodeRoutes,
  type NodeNamespace,
  type NodeRoute,
} from './node-namespace.ts';
import { admitPods } from './policies/admit-pods.ts';
import type { PolicyTracker } from './policies/policy-tracker.ts';
import type { ServiceProxy } from './service-proxy.ts';
import { ServiceTracker } from './service-tracker.ts';

export interface IsolatedNodesOptions {
  readonly clusterId: string;
  readonly podRange: Ipv4Range;
  readonly serviceRange: Ipv4Range;
  readonly balancerRange: Ipv4Range;
  /** Of a cluster of two families. */
  readonly ipv6?: Ipv6Side | undefined;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Holds which pod has which address. */
  readonly directory: string;
  /** Enforces the cluster's policies on those of its pods whose packets pass there. */
  enforceAt(place: NetworkPlace, localRange: Ipv4Range): PolicyTracker;
  onError(error: unknown): void;
}

export interface IsolatedNodeOptions {
  readonly name: string;
  /** From 1; decides the node's address. */
  readonly number: number;
  /** The addresses of its pods. */
  readonly podCidr: string;
  /** Where its kubelet listens on the machine. */
  readonly kubelet: { readonly address: string; readonly port: number };
}

/** A node with a network namespace of its own. */
export interface IsolatedNode extends NodePodNetwork {
  /** The node's own address. */
  readonly address: string;
  /** The file that stands for the node's namespace. */
  readonly netnsPath: string;
}

/** The nodes of this machine that have network namespaces of their own, with service rules in each and routes between them. */
export interface IsolatedNodes {
  /** Makes a node's namespace, or takes over what an earlier process left. */
  add(node: IsolatedNodeOptions): Promise<IsolatedNode>;
  /** Removes a node's namespace with its routes and rules; idempotent. */
  remove(name: string): Promise<void>;
  /** Ends what this process does; the namespaces stay. */
  stop(): Promise<void>;
}

interface Running extends NodeRoute {
  readonly number: number;
  readonly namespace: NodeNamespace;
  readonly tracker: ServiceTracker;
  readonly proxy: ServiceProxy;
  readonly policies: PolicyTracker;
}

/** No node yet. */
export function createIsolatedNodes(options: IsolatedNodesOptions): IsolatedNodes {
  const { clusterId, podRange, clock, informers, onError } = options;
  const pair = options.ipv6?.pods;
  const running = new Map<string, Running>();
  const link = clusterLinkName(clusterId);
  const gateway = formatIpv4(podRange.network + 1);
  const machine = ownPlace();
  let reachable: Promise<unknown> | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = turn.then(act, act);
    turn = next.catch(() => undefined);
    return next;
  }

  /** The machine reaches the nodes' own addresses. */
  function reachNodes(): Promise<unknown> {
    const range = nodeAddressRange(podRange);
    const lines = [
      `route replace ${formatIpv4Range(range)} dev ${link} src ${gateway}\n`,
      ...(pair
        ? [
            `route replace ${formatIpv6Range(pairedRange(pair, range))} dev ${link} src ${pairedAddress(pair, podRange.network + 1)}\n`,
          ]
        : []),
    ];
    return machine.run('ip', ['-batch', '-'], lines.join(''));
  }

  /** The way to a node's pods in each family. */
  function routesTo(node: NodeRoute): readonly NodeRoute[] {
    const [range, address] = [requireRange(node.podCidr), parseIpv4(node.address) ?? 0];
    return pair
      ? [
          node,
          {
            podCidr: formatIpv6Range(pairedRange(pair, range)),
            address: pairedAddress(pair, address),
          },
        ]
      : [node];
  }

  /** The machine's own addresses on the link. */
  const sources = { IPv4: gateway, ...(pair && { IPv6: pairedAddress(pair, podRange.network + 1) }) };

  async function connect(node: Running): Promise<void> {
    const others = [...running.values()].filter((other) => other !== node);
    await Promise.all([
      addNodeRoutes(machine, link, routesTo(node), sources),
      addNodeRoutes(node.namespace.place, 'eth0', others.flatMap(routesTo)),
      ...others.map((other) => addNodeRoutes(other.namespace.place, 'eth0', routesTo(node))),
    ]);
  }

  async function close({ tracker, proxy, policies }: Running): Promise<void> {
    await policies.stop();
    await tracker.stop();
    await proxy.close();
  }

  return {
    async add({ name, number, podCidr, kubelet }) {
      reachable ??= reachNodes();
      await reachable;
      const namespace = await ensureNodeNamespace({ clusterId, podRange, number, podCidr, pair });
      const { address, place } = namespace;
      const range = requireRange(podCidr);
      const proxy = await startNftablesProxy({
        ...options,
        place,
        node: { address, podRange: range, kubelet },
        onConflict: () => undefined,
      });
      const tracker = new ServiceTracker({
        informers,
        clock,
        onError,
        node: name,
        ...(pair && { families: ['IPv4', 'IPv6'] }),
        updateServices: (change) => proxy.update(change),
      });
      const policies = options.enforceAt(place, range);
      const node = { number, podCidr, address, namespace, tracker, proxy, policies };
      running.set(name, node);
      await inTurn(() => connect(node));
      const pods = await createPodNetwork({
        clusterId,
        range,
        pair,
        file: join(options.directory, `addresses-${name}.json`),
        node: { place, address },
        onHostPorts: (mappings) => tracker.setHostPorts(name, mappings),
      });
      return { ...admitPods(pods, policies), address, netnsPath: namespace.path };
    },
    async remove(name) {
      const node = running.get(name);
      if (!node) return;
      running.delete(name);
      await close(node);
      await inTurn(async () => {
        await removeNodeRoutes(machine, routesTo(node));
        await Promise.all(
          [...running.values()].map(({ namespace }) => removeNodeRoutes(namespace.place, routesTo(node))),
        );
        await removeNodeNamespace({ clusterId, podRange, number: node.number });
      });
    },
    async stop() {
      await Promise.all([...running.values()].map(close));
    },
  };
}
