import { inRange } from '../../base/ip-range.ts';
import { selectorMatches, printSelector } from '../../machinery/selectors/label-selector.ts';
import type {
  CompiledPeer,
  CompiledPolicy,
  CompiledPort,
  CompiledRule,
  PodPeer,
  Protocol,
} from './compile-policy.ts';
import type { PolicyPod } from './policy-pod.ts';

/** Whom one allowance is about; `group` names pods that {@link peerGroups} tells. */
export type Whom =
  | { readonly kind: 'anybody' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] };

/** What an isolated pod may do in one direction. */
export type Allowance =
  | { readonly whom: Whom; readonly ports: 'all' | readonly PortRange[] }
  /** Pods of the group, each at the port that itself calls so. */
  | { readonly namedPorts: string };

export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** What may reach a pod, and what it may reach; a direction that is absent is free. */
export interface PodPlan {
  readonly ingress?: readonly Allowance[];
  readonly egress?: readonly Allowance[];
}

/** Pods, or ports of pods, that allowances refer to by name. Equal groups have equal names, whichever policy has them. */
export type PeerGroup = {
  readonly name: string;
  /** Whether membership follows from addresses, not from labels alone. */
  readonly byAddress: boolean;
  matches(pod: PolicyPod): boolean;
} & (
  | { readonly kind: 'pods' }
  | { readonly kind: 'ports'; readonly protocol: Protocol; readonly port: string }
);

/** Whether a policy selects a pod. */
export function selects({ namespace, selector }: CompiledPolicy, pod: PolicyPod): boolean {
  return pod.namespace === namespace && selectorMatches(selector, pod.labels);
}

/** The union of what all policies that select a pod allow it. */
export function planPod(pod: PolicyPod, policies: readonly CompiledPolicy[]): PodPlan {
  const own = policies.filter((policy) => selects(policy, pod));
  const ingress = own.flatMap(({ ingress }) => (ingress ? [ingress] : []));
  const egress = own.flatMap(({ egress }) => (egress ? [egress] : []));
  return {
    ...(ingress.length > 0 && { ingress: distinct(ingress.flat().flatMap((rule) => incoming(rule, pod))) }),
    ...(egress.length > 0 && { egress: distinct(egress.flat().flatMap(outgoing)) }),
  };
}

/** Named ports of what comes in are the pod's own. */
function incoming({ peers, ports }: CompiledRule, pod: PolicyPod): readonly Allowance[] {
  const resolved = ports?.flatMap((port) => resolve(port, pod));
  if (resolved?.length === 0) return [];
  return whoms(peers).map((whom) => ({ whom, ports: resolved ? merged(resolved) : 'all' }));
}

/** Named ports of what goes out are those of the pods it goes to. */
function outgoing({ peers, ports }: CompiledRule): readonly Allowance[] {
  const numbers = ports?.flatMap((port) => (port.name === undefined ? [port] : []));
  const named = (ports ?? []).flatMap((port) => (port.name === undefined ? [] : [port]));
  const plain =
    numbers?.length === 0
      ? []
      : whoms(peers).map((whom): Allowance => ({ whom, ports: numbers ? merged(numbers) : 'all' }));
  const byName = named.flatMap((port) =>
    (peers ?? [everyPod]).map((peer): Allowance => ({ namedPorts: portGroupName(peer, port) })),
  );
  return [...plain, ...byName];
}

/** The groups that the rules of a policy refer to. */
export function peerGroups({ ingress = [], egress = [] }: CompiledPolicy): readonly PeerGroup[] {
  const pods = [...ingress, ...egress].flatMap(({ peers = [] }) =>
    peers.flatMap((peer): PeerGroup[] =>
      peer.kind === 'pods'
        ? [{ kind: 'pods', name: groupName(peer), byAddress: false, matches: (pod) => matches(peer, pod) }]
        : [],
    ),
  );
  const ports = egress.flatMap(({ peers = [everyPod], ports = [] }) =>
    ports.flatMap((port): PeerGroup[] => {
      const { name, protocol } = port;
      if (name === undefined) return [];
      return peers.map((peer) => ({
        kind: 'ports',
        name: portGroupName(peer, { protocol, name }),
        byAddress: peer.kind === 'block',
        protocol,
        port: name,
        matches: (pod) => matches(peer, pod),
      }));
    }),
  );
  return [...pods, ...ports];
}

const everyPod: PodPeer = { kind: 'pods', namespaces: { requirements: [] }, pods: { requirements: [] } };

function matches(peer: CompiledPeer, pod: PolicyPod): boolean {
  if (peer.kind === 'block')
    return pod.addresses.some(
      (address) => inRange(peer.cidr, address) && !peer.except.some((range) => inRange(range, address)),
    );
  const { namespaces } = peer;
  const inNamespace =
    typeof namespaces === 'string'
      ? namespaces === pod.namespace
      : selectorMatches(namespaces, pod.namespaceLabels);
  return inNamespace && selectorMatches(peer.pods, pod.labels);
}

function whoms(peers: readonly CompiledPeer[] | undefined): readonly Whom[] {
  if (!peers) return [{ kind: 'anybody' }];
  return peers.map((peer) =>
    peer.kind === 'pods'
      ? { kind: 'group', group: groupName(peer) }
      : { kind: 'block', cidr: peer.cidr, except: peer.except },
  );
}

function groupName({ namespaces, pods }: PodPeer): string {
  const where =
    typeof namespaces === 'string' ? `namespace ${namespaces}` : `namespaces {${printSelector(namespaces)}}`;
  return `${where} pods {${printSelector(pods)}}`;
}

function portGroupName(peer: CompiledPeer, { protocol, name }: { protocol: Protocol; name: string }): string {
  const whom =
    peer.kind === 'pods' ? groupName(peer) : `block ${peer.cidr} except {${peer.except.join(',')}}`;
  return `${whom} port ${protocol} ${name}`;
}

function resolve(port: CompiledPort, pod: PolicyPod): readonly PortRange[] {
  if (port.name === undefined) return [port];
  return pod.ports
    .filter(({ name, protocol }) => name === port.name && protocol === port.protocol)
    .map((own) => ({ protocol: own.protocol, first: own.port, last: own.port }));
}

/** The same ports in ranges that neither overlap nor touch. */
function merged(ranges: readonly PortRange[]): readonly PortRange[] {
  const result: PortRange[] = [];
  const inOrder = ranges.toSorted((a, b) =>
    a.protocol === b.protocol ? a.first - b.first : a.protocol < b.protocol ? -1 : 1,
  );
  for (const { protocol, first, last } of inOrder) {
    const previous = result.at(-1);
    if (previous?.protocol === protocol && first <= previous.last + 1)
      result[result.length - 1] = { ...previous, last: Math.max(last, previous.last) };
    else result.push({ protocol, first, last });
  }
  return result;
}

function distinct(allowances: readonly Allowance[]): readonly Allowance[] {
  return [...new Map(allowances.map((allowance) => [JSON.stringify(allowance), allowance])).values()];
}
