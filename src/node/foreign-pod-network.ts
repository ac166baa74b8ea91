import type { HostPort, SandboxedPod } from './pod-network.ts';

/** What a node needs of the cluster's network for pods that its runtime connects by itself; `cluster/` injects it. */
export interface ForeignPodNetwork {
  /**
   * The pod has this address; its host ports are to lead to it. Idempotent. Resolves when the network policies that select
   * the pod are in force.
   */
  attached(attachment: {
    readonly sandboxId: string;
    readonly ip: string;
    readonly hostPorts: readonly HostPort[];
    readonly pod: SandboxedPod;
  }): Promise<void>;
  detached(sandboxId: string): Promise<void>;
}
