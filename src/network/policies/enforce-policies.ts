import type { Clock } from '../../base/clock.ts';
import { inRange } from '../../base/ip-range.ts';
import { formatIpv4Range, type Ipv4Range } from '../../base/ipv4.ts';
import { formatIpv6Range } from '../../base/ipv6.ts';
import { pairedRange, type RangePair } from '../../base/paired-ranges.ts';
import type { InformerFactory } from '../../reconcile/informer.ts';
import { NetworkError } from '../network-error.ts';
import type { NetworkPlace } from '../network-place.ts';
import { createNft } from '../nftables/nft-session.ts';
import { runTool } from '../run-tool.ts';
import { createPolicyEnforcer } from './policy-enforcer.ts';
import type { PolicyPod } from './policy-pod.ts';
import type { MachineListener } from './policy-table.ts';
import { PolicyTracker } from './policy-tracker.ts';

export interface EnforcePoliciesOptions {
  readonly clusterId: string;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** All pods of the cluster. */
  readonly podRange: Ipv4Range;
  /** Of a cluster of two families. */
  readonly pair?: RangePair | undefined;
  /** Those whose packets pass where the rules are; absent: all. */
  readonly localRange?: Ipv4Range;
  /** What on this machine pods reach by the rules only; the name server counts as a pod, too. */
  readonly listeners: readonly MachineListener[];
  readonly residents: readonly PolicyPod[];
  /** Addresses that count as the node, beside its own. */
  readonly trusted?: readonly string[];
  /** The network namespace through which the pods' packets pass. */
  readonly place: NetworkPlace;
  onError(error: unknown): void;
}

/** Enforces the cluster's NetworkPolicies in one network namespace. */
export function enforcePolicies(options: EnforcePoliciesOptions): PolicyTracker {
  const { podRange, pair, localRange } = options;
  const all = [formatIpv4Range(podRange), ...(pair ? [formatIpv6Range(pair.ipv6)] : [])];
  const local = localRange
    ? [formatIpv4Range(localRange), ...(pair ? [formatIpv6Range(pairedRange(pair, localRange))] : [])]
    : all;
  const nft = createNft(options.place, options.clock);
  const enforcer = createPolicyEnforcer({ ...options, nft });
  return new PolicyTracker({
    informers: options.informers,
    clock: options.clock,
    residents: options.residents,
    isPodAddress: (address) => all.some((range) => inRange(range, address)),
    isLocal: (address) => local.some((range) => inRange(range, address)),
    apply: (change) => enforcer.apply(change),
    close: () => nft.close(),
    onError: options.onError,
  });
}

/** The cluster's name server as policies see it: upstream's pods of kube-dns. */
export function nameServerPod(address: string, port: number): PolicyPod {
  return {
    key: 'kube-system/kube-dns',
    namespace: 'kube-system',
    labels: { 'k8s-app': 'kube-dns' },
    namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
    addresses: [address],
    ports: [
      { name: 'dns', protocol: 'udp', port },
      { name: 'dns-tcp', protocol: 'tcp', port },
    ],
    local: false,
  };
}

/** Why nft cannot be used here to enforce policies; undefined when it can. */
export async function policyHindrance(): Promise<string | undefined> {
  try {
    await runTool('nft', ['list', 'tables']);
    return undefined;
  } catch (error) {
    if (error instanceof NetworkError) return error.message;
    throw error;
  }
}
