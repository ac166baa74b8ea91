import { formatIpv4Range, parseIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';
import { formatIpv6Range, type Ipv6Range } from '../../base/ipv6.ts';
import { pairedRange } from '../../base/paired-ranges.ts';
import { nodes, type Node } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  stalled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { CidrSet } from './cidr-set.ts';

export interface NodeIpamOptions {
  /** `--cluster-cidr`: what the nodes' networks are cut from. */
  readonly clusterCidr: Ipv4Range;
  /** The IPv6 range of a cluster of two families: the /64 of a node has the number of its /24. */
  readonly ipv6?: Ipv6Range;
  /** `--node-cidr-mask-size`. */
  readonly nodePrefix: number;
  /** Parts of the cluster's range that no node may get. */
  readonly reserved: readonly Ipv4Range[];
}

/** Gives every node that has none a network for its pods, and takes it back when the node is gone. */
export function nodeIpamController(options: NodeIpamOptions): Controller {
  const name = 'node-ipam-controller';
  return { name, aliases: ['nodeipam'], start: (context) => start(context, name, options) };
}

function start(context: ControllerContext, name: string, options: NodeIpamOptions): RunningController {
  const { client, informers } = context;
  const events = context.events.as('cidrAllocator');
  const nodeCache = informers.for(nodes);
  const nodeClient = client.for(nodes);
  const set = new CidrSet(options.clusterCidr, options.nodePrefix);
  const reserved = options.reserved.map(formatIpv4Range);
  for (const range of reserved) set.occupy(range);
  /** Networks that were allocated and may not be in the cache yet. */
  const allocated = new Map<string, string>();
  const hungry = new Set<string>();
  const reconciler = startReconciler(context, { name, caches: [nodeCache], concurrency: 30, reconcile });
  nodeCache.addHandler({
    onAdd: notice,
    onUpdate: notice,
    onDelete(node) {
      const own = allocated.get(node.metadata.name);
      for (const cidr of new Set([...cidrsOf(node), ...(own === undefined ? [] : [own])])) release(cidr);
      allocated.delete(node.metadata.name);
      hungry.delete(node.metadata.name);
      const [waiting] = hungry;
      if (waiting !== undefined) reconciler.add(waiting);
    },
  });
  return reconciler;

  function notice(node: Live<Node>): void {
    const cidrs = cidrsOf(node);
    for (const cidr of cidrs) set.occupy(cidr);
    if (cidrs.length === 0 && !hungry.has(node.metadata.name)) reconciler.add(node.metadata.name);
  }

  function release(cidr: string): void {
    set.release(cidr);
    for (const range of reserved) set.occupy(range);
  }

  function pairedWith(cidr: string): readonly string[] {
    const part = parseIpv4Range(cidr);
    const { clusterCidr: ipv4, ipv6 } = options;
    return part && ipv6 ? [formatIpv6Range(pairedRange({ ipv4, ipv6 }, part))] : [];
  }

  async function reconcile(nodeName: string): Promise<Outcome> {
    const node = nodeCache.get(undefined, nodeName);
    hungry.delete(nodeName);
    if (!node || cidrsOf(node).length > 0) return settled;
    const cidr = allocated.get(nodeName) ?? set.allocate();
    if (cidr === undefined) {
      hungry.add(nodeName);
      events.record(node, 'Normal', 'CIDRNotAvailable', `Node ${nodeName} status is now: CIDRNotAvailable`);
      return stalled('the cluster range has no free network');
    }
    allocated.set(nodeName, cidr);
    try {
      await nodeClient.patch(
        { name: nodeName },
        {
          metadata: { uid: node.metadata.uid },
          spec: { podCIDR: cidr, podCIDRs: [cidr, ...pairedWith(cidr)] },
        },
        { type: 'application/strategic-merge-patch+json' },
      );
    } catch (error) {
      if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return settled;
      // The node may have got a network of somebody else's meanwhile; then this one is free again.
      const held = nodeCache.get(undefined, nodeName);
      if (!held || cidrsOf(held).length === 0) throw error;
      if (!cidrsOf(held).includes(cidr)) release(cidr);
      allocated.delete(nodeName);
    }
    return settled;
  }
}

function cidrsOf({ spec }: Node): readonly string[] {
  return spec.podCIDRs ?? (spec.podCIDR ? [spec.podCIDR] : []);
}
