/** What a node needs of the cluster's network; `cluster/` injects an implementation. */
export interface PodNetwork {
  /** The node's own network namespace (a path), which pods with `hostNetwork` share; absent: the machine's. */
  readonly nodeNetns?: string;
  /**
   * Gives the sandbox an address and joins its network namespace (a path such as `/run/…/netns/ID`, already created) to
   * the node's network. Idempotent for one sandbox: a second call returns the same address. Resolves when
   * the network policies that select the pod are in force.
   */
  attach(
    sandboxId: string,
    netnsPath: string,
    hostPorts: readonly HostPort[],
    pod: SandboxedPod,
  ): Promise<PodAddress>;
  /** Removes link, address and rules; idempotent. */
  detach(sandboxId: string): Promise<void>;
}

/** The pod of a sandbox. */
export interface SandboxedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly containerPort: number;
  readonly hostPort: number;
  readonly hostIP?: string;
}

export interface PodAddress {
  /** IPv4 address of the pod, without a prefix length. */
  readonly ip: string;
  /** Its addresses of other families. */
  readonly additionalIPs?: readonly string[];
}
