import { formatIpv4, parseIpv4Range } from '../../base/ipv4.ts';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { AddressBook } from './address-pool.ts';
import { NODE_ANNOTATION, STATUS_ANNOTATION } from './kwok/stage.ts';

/** The nodes that are simulated, and the addresses of them and their pods. */
export class SimulatedNodes {
  readonly #nodes = new Map<string, Live<Node>>();
  readonly #addresses = new AddressBook();
  /** Addresses promised to nodes that do not bear them yet. */
  readonly #promised = new Map<string, string>();

  get size(): number {
    return this.#nodes.size;
  }

  has(name: string | undefined): boolean {
    return name !== undefined && this.#nodes.has(name);
  }

  get(name: string): Live<Node> | undefined {
    return this.#nodes.get(name);
  }

  names(): Iterable<string> {
    return this.#nodes.keys();
  }

  /** Notes a node; says whether it is simulated, and whether that is news. */
  hear(node: Live<Node>): 'new' | 'known' | 'foreign' {
    const { name } = node.metadata;
    if (!isSimulated(node)) {
      this.#nodes.delete(name);
      return 'foreign';
    }
    const known = this.#nodes.has(name);
    this.#nodes.set(name, node);
    const address = internalAddress(node);
    if (address !== undefined) this.#promised.delete(name);
    return known ? 'known' : 'new';
  }

  forget(name: string): void {
    this.#nodes.delete(name);
    const promised = this.#promised.get(name);
    if (promised !== undefined) this.#addresses.release(undefined, promised);
    this.#promised.delete(name);
  }

  /** A pod of a simulated node has the address that it says it has. */
  holdAddress(pod: Live<Pod>): void {
    if (pod.status?.podIP && pod.spec.hostNetwork !== true)
      this.#addresses.hold(this.#podCidr(pod.spec.nodeName), pod.status.podIP);
  }

  releaseAddress(pod: Live<Pod>): void {
    if (pod.status?.podIP && pod.spec.hostNetwork !== true)
      this.#addresses.release(this.#podCidr(pod.spec.nodeName), pod.status.podIP);
  }

  /** A new address for a pod on the node. */
  podIP(nodeName: string | undefined): string {
    return this.#addresses.takeFor(this.#podCidr(nodeName));
  }

  /** The address that the node has, or will have: the first of its network, or one of the common ones. */
  nodeIP(name: string): string {
    const node = this.#nodes.get(name);
    const held = node && internalAddress(node);
    if (held !== undefined) return held;
    const range = parseIpv4Range(this.#podCidr(name) ?? '');
    if (range) return formatIpv4(range.network + 1);
    const promised = this.#promised.get(name) ?? this.#addresses.takeFor(undefined);
    this.#promised.set(name, promised);
    return promised;
  }

  #podCidr(nodeName: string | undefined): string | undefined {
    const spec = nodeName === undefined ? undefined : this.#nodes.get(nodeName)?.spec;
    return spec?.podCIDRs?.[0] ?? spec?.podCIDR;
  }
}

/** Whether KWOK's annotation says that nothing real is behind the node. */
export function isSimulated({ metadata }: Node): boolean {
  return metadata?.annotations?.[NODE_ANNOTATION] === 'fake';
}

/** Whether the object's owner wants to write its status without being disturbed. */
export function isDisregarded(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return annotations?.[STATUS_ANNOTATION] === 'custom';
}

function internalAddress({ status }: Live<Node>): string | undefined {
  const addresses = status?.addresses ?? [];
  return (
    addresses.find(({ type }) => type === 'InternalIP') ?? addresses.find(({ type }) => type === 'ExternalIP')
  )?.address;
}
