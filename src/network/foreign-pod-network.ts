import { linkExists, setLinkSettings } from './link-settings.ts';
import type { HostPortMapping } from './create-pod-network.ts';
import type { LeasedPort } from './address-pool.ts';
import { runTool } from './run-tool.ts';

/** A node whose pods something else connects: CNI plug-ins of a container runtime. */
export interface ForeignPodNetwork {
  /** The pod has this address; its host ports are to lead to it. Idempotent. */
  attached(sandboxId: string, ip: string, hostPorts: readonly LeasedPort[]): Promise<void>;
  detached(sandboxId: string): Promise<void>;
}

/** Makes services, host ports and the machine's own addresses work for pods that are connected by others. */
export function createForeignPodNetwork(
  onHostPorts: (mappings: readonly HostPortMapping[]) => void,
): ForeignPodNetwork {
  const mappings = new Map<string, readonly HostPortMapping[]>();
  const announce = (): void => onHostPorts([...mappings.values()].flat());
  return {
    async attached(sandboxId, ip, hostPorts) {
      const link = await linkTo(ip);
      // A port of the machine's loopback may lead to the pod.
      if (link !== undefined && (await linkExists(link)))
        await setLinkSettings(link, { route_localnet: '1' });
      if (hostPorts.length === 0) return;
      mappings.set(
        sandboxId,
        hostPorts.map((port) => ({ ...port, sandboxId, podIP: ip })),
      );
      announce();
    },
    async detached(sandboxId) {
      if (mappings.delete(sandboxId)) announce();
    },
  };
}

async function linkTo(ip: string): Promise<string | undefined> {
  const route = await runTool('ip', ['route', 'get', ip]);
  return /\bdev (\S+)/.exec(route)?.[1];
}
