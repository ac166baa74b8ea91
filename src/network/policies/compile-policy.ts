import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../api/networking/v1.gen.ts';
import { selectorFrom, type Selector } from '../../machinery/selectors/label-selector.ts';

/** A NetworkPolicy with its selectors compiled and its defaults applied. */
export interface CompiledPolicy {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly selector: Selector;
  /** What may come in; absent: the policy says nothing about it. */
  readonly ingress?: readonly CompiledRule[];
  readonly egress?: readonly CompiledRule[];
}

export interface CompiledRule {
  /** Absent: everybody. */
  readonly peers?: readonly CompiledPeer[];
  /** Absent: every port of every protocol. */
  readonly ports?: readonly CompiledPort[];
}

export type CompiledPeer = PodPeer | BlockPeer;

/** Pods by the labels of their namespace and their own. */
export interface PodPeer {
  readonly kind: 'pods';
  /** The one namespace, or a choice of namespaces by their labels. */
  readonly namespaces: string | Selector;
  readonly pods: Selector;
}

export interface BlockPeer {
  readonly kind: 'block';
  readonly cidr: string;
  readonly except: readonly string[];
}

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** Ports of one protocol: all of them, from `first` to `last`, or the one that a pod calls `name`. */
export type CompiledPort =
  | { readonly protocol: Protocol; readonly name?: undefined; readonly first: number; readonly last: number }
  | { readonly protocol: Protocol; readonly name: string };

/** Reads a policy; `policyTypes` defaults as upstream's. */
export function compilePolicy({ metadata, spec }: NetworkPolicy): CompiledPolicy {
  const namespace = metadata.namespace ?? '';
  const types = spec?.policyTypes?.length
    ? spec.policyTypes
    : ['Ingress', ...(spec?.egress?.length ? ['Egress'] : [])];
  const compile = (
    peers: readonly NetworkPolicyPeer[] | undefined,
    ports: readonly NetworkPolicyPort[] | undefined,
  ): CompiledRule => ({
    ...(peers?.length && { peers: peers.map((peer) => compilePeer(peer, namespace)) }),
    ...(ports?.length && { ports: ports.map(compilePort) }),
  });
  return {
    key: `${namespace}/${metadata.name}`,
    namespace,
    selector: selectorFrom(spec?.podSelector ?? {}),
    ...(types.includes('Ingress') && {
      ingress: (spec?.ingress ?? []).map(({ from, ports }) => compile(from, ports)),
    }),
    ...(types.includes('Egress') && {
      egress: (spec?.egress ?? []).map(({ to, ports }) => compile(to, ports)),
    }),
  };
}

function compilePeer(
  { ipBlock, namespaceSelector, podSelector }: NetworkPolicyPeer,
  namespace: string,
): CompiledPeer {
  if (ipBlock) return { kind: 'block', cidr: ipBlock.cidr, except: ipBlock.except ?? [] };
  return {
    kind: 'pods',
    namespaces: namespaceSelector ? selectorFrom(namespaceSelector) : namespace,
    pods: selectorFrom(podSelector ?? {}),
  };
}

function compilePort({ protocol, port, endPort }: NetworkPolicyPort): CompiledPort {
  const own = (protocol ?? 'TCP').toLowerCase() as Protocol;
  if (typeof port === 'string') return { protocol: own, name: port };
  if (port === undefined) return { protocol: own, first: 0, last: 65_535 };
  return { protocol: own, first: port, last: endPort ?? port };
}
