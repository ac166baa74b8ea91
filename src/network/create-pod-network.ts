import { formatIpv4, parseIpv4, type Ipv4Range } from '../base/ipv4.ts';
import { pairedAddress, type RangePair } from '../base/paired-ranges.ts';
import { openAddressPool, type LeasedPort } from './address-pool.ts';
import { addGateway } from './cluster-link.ts';
import { linkGateway, loopbackRoute } from './ipv6-side.ts';
import { podLinkName } from './link-names.ts';
import { ownPlace, placeAt, type NetworkPlace } from './network-place.ts';

/** A port of the machine that leads to a pod. */
export interface HostPortMapping extends LeasedPort {
  readonly sandboxId: string;
  readonly podIP: string;
  /** Of a pod of two families. */
  readonly podIPv6?: string;
}

/** The pod of a sandbox. */
export interface SandboxedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface PodAddresses {
  /** IPv4. */
  readonly ip: string;
  readonly additionalIPs?: readonly string[];
}

/** The network of one node's pods, as the node agent wants it. */
export interface NodePodNetwork {
  /**
   * Gives the sandbox an address and links its network namespace (a file) to the host. Idempotent: a second call returns
   * the same address. `pod` is whose sandbox it is, for those who care.
   */
  attach(
    sandboxId: string,
    netnsPath: string,
    hostPorts: readonly LeasedPort[],
    pod?: SandboxedPod,
  ): Promise<PodAddresses>;
  /** Removes link, address and rules; idempotent. */
  detach(sandboxId: string): Promise<void>;
}

export interface PodNetworkOptions {
  readonly clusterId: string;
  /** The node's addresses; the first is its gateway's. */
  readonly range: Ipv4Range;
  /** The addresses of all pods of a cluster of two families. */
  readonly pair?: RangePair | undefined;
  /** Holds the leases. */
  readonly file: string;
  /** Where the node's ends of the links are, when the node has a namespace of its own, and its address, which is the gateway. */
  readonly node?: { readonly place: NetworkPlace; readonly address: string };
  /** Hears of the host ports of all attached pods, whenever they change and once at the start. */
  onHostPorts(mappings: readonly HostPortMapping[]): void;
}

/**
 * The network of one node on this machine. Each pod has a /32 address, and a default route to the node's gateway over a
 * veth pair of its own; the node routes to it. Of two families it has the IPv6 address that goes with that. Links and addresses of pods that run already are taken over.
 */
export async function createPodNetwork(options: PodNetworkOptions): Promise<NodePodNetwork> {
  const { clusterId, range, pair } = options;
  const place = options.node?.place ?? ownPlace();
  const gateway = options.node?.address ?? formatIpv4(range.network + 1);
  const [pool] = await Promise.all([
    openAddressPool(options.file, range),
    ...(options.node ? [] : [addGateway(clusterId, range.network + 1, pair)]),
  ]);
  const gatewayIpv6 = pair && pairedAddress(pair, parseIpv4(gateway) ?? range.network);
  const busy = new Map<string, Promise<unknown>>();

  /** One operation at a time for each sandbox. */
  function inOrder<T>(sandboxId: string, run: () => Promise<T>): Promise<T> {
    const turn = (busy.get(sandboxId) ?? Promise.resolve())
      .catch(() => {})
      .then(run)
      .finally(() => {
        if (busy.get(sandboxId) === turn) busy.delete(sandboxId);
      });
    busy.set(sandboxId, turn);
    return turn;
  }

  function announceHostPorts(): void {
    options.onHostPorts(
      [...pool.leases].flatMap(([sandboxId, lease]) =>
        lease.attached
          ? lease.hostPorts.map((port) => ({
              ...port,
              sandboxId,
              podIP: formatIpv4(lease.address),
              ...(pair && { podIPv6: pairedAddress(pair, lease.address) }),
            }))
          : [],
      ),
    );
  }

  function addressesOf(address: number): PodAddresses {
    return { ip: formatIpv4(address), ...(pair && { additionalIPs: [pairedAddress(pair, address)] }) };
  }

  async function link(address: number, netnsPath: string): Promise<void> {
    const name = podLinkName(clusterId, address);
    const ip = formatIpv4(address);
    const ipv6 = pair && pairedAddress(pair, address);
    if (await place.linkExists(name)) await removeLink(place, name);
    try {
      await place.run(
        'ip',
        ['-batch', '-'],
        `link add ${name} type veth peer name eth0 netns "${netnsPath}"\nlink set ${name} up\nroute replace ${ip}/32 dev ${name} src ${gateway}\n`,
      );
      if (ipv6 !== undefined) {
        await place.enableIpv6(name);
        await place.run(
          'ip',
          ['-batch', '-'],
          `addr add ${linkGateway}/64 dev ${name} nodad\nroute replace ${ipv6}/128 dev ${name} src ${gatewayIpv6}\nroute append ${loopbackRoute(name)}\n`,
        );
      }
      const ipv6Lines =
        ipv6 === undefined
          ? ''
          : `addr add ${ipv6}/128 dev eth0 nodad\nroute add default via ${linkGateway} dev eth0\n`;
      await Promise.all([
        place.setLinkSettings(name, { forwarding: '1', route_localnet: '1' }),
        placeAt(netnsPath).run(
          'ip',
          ['-batch', '-'],
          `link set lo up\naddr add ${ip}/32 dev eth0\nlink set eth0 up\nroute add ${gateway} dev eth0 scope link\nroute add default via ${gateway} dev eth0\n${ipv6Lines}`,
        ),
      ]);
    } catch (error) {
      await removeLink(place, name).catch(() => {});
      throw error;
    }
  }

  const withHostPorts = [...pool.leases].filter(([, { hostPorts }]) => hostPorts.length > 0);
  for (const [sandboxId, { address }] of withHostPorts)
    if (!(await place.linkExists(podLinkName(clusterId, address)))) pool.markDetached(sandboxId);
  if (withHostPorts.length > 0) announceHostPorts();

  return {
    attach: (sandboxId, netnsPath, hostPorts) =>
      inOrder(sandboxId, async () => {
        const lease = pool.lease(sandboxId, hostPorts);
        const addresses = addressesOf(lease.address);
        if (lease.attached && (await place.linkExists(podLinkName(clusterId, lease.address))))
          return addresses;
        await Promise.all([pool.save(), link(lease.address, netnsPath)]);
        pool.markAttached(sandboxId);
        await pool.save();
        if (lease.hostPorts.length > 0) announceHostPorts();
        return addresses;
      }),
    detach: (sandboxId) =>
      inOrder(sandboxId, async () => {
        const lease = pool.leases.get(sandboxId);
        if (!lease) return;
        const name = podLinkName(clusterId, lease.address);
        if (await place.linkExists(name)) await removeLink(place, name);
        pool.release(sandboxId);
        await pool.save();
        if (lease.hostPorts.length > 0) announceHostPorts();
      }),
  };
}

/** The link may go by itself with its pod's namespace at any moment. */
async function removeLink(place: NetworkPlace, name: string): Promise<void> {
  await place.run('ip', ['link', 'del', name]).catch(async (error: unknown) => {
    if (await place.linkExists(name)) throw error;
  });
}
