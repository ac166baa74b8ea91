import type { LeasedPort } from './address-pool.ts';
import type { HostPortMapping, SandboxedPod } from './create-pod-network.ts';
import { foreignLinkGroup } from './link-names.ts';
import { linkExists, setLinkSettings } from './link-settings.ts';
import type { PolicyTracker } from './policies/policy-tracker.ts';
import { runTool } from './run-tool.ts';

/** A node whose pods something else connects: CNI plug-ins of a container runtime. */
export interface ForeignPodNetwork {
  /**
   * The pod has this address; its host ports are to lead to it. Idempotent. Resolves when the network policies that select
   * the pod are in force.
   */
  attached(attachment: ForeignAttachment): Promise<void>;
  detached(sandboxId: string): Promise<void>;
}

export interface ForeignAttachment {
  readonly sandboxId: string;
  readonly ip: string;
  readonly hostPorts: readonly LeasedPort[];
  readonly pod: SandboxedPod;
}

export interface ForeignPodNetworkOptions {
  /** Hears of the host ports of all attached pods, whenever they change. */
  onHostPorts(mappings: readonly HostPortMapping[]): void;
  /** Absent where policies are not enforced. */
  readonly policies?: Pick<PolicyTracker, 'admit'> | undefined;
}

/** Makes services, policies, host ports and the machine's own addresses work for pods that are connected by others. */
export function createForeignPodNetwork(options: ForeignPodNetworkOptions): ForeignPodNetwork {
  const mappings = new Map<string, readonly HostPortMapping[]>();
  const announce = (): void => options.onHostPorts([...mappings.values()].flat());
  return {
    async attached({ sandboxId, ip, hostPorts, pod }) {
      const link = await linkTo(ip);
      if (link !== undefined && (await linkExists(link))) {
        // A port of the machine's loopback may lead to the pod.
        await setLinkSettings(link, { route_localnet: '1' });
        await runTool('ip', ['link', 'set', 'dev', link, 'group', String(foreignLinkGroup)]);
      }
      if (hostPorts.length > 0) {
        mappings.set(
          sandboxId,
          hostPorts.map((port) => ({ ...port, sandboxId, podIP: ip })),
        );
        announce();
      }
      await options.policies?.admit(pod, [ip]);
    },
    async detached(sandboxId) {
      if (mappings.delete(sandboxId)) announce();
    },
  };
}

async function linkTo(ip: string): Promise<string | undefined> {
  const route = await runTool('ip', ['route', 'get', ip]);
  const link = /\bdev (\S+)/.exec(route)?.[1];
  return link === 'lo' ? undefined : link;
}
