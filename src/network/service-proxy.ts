import type { ServicePort } from './service-port.ts';

/** What changed since the last call; the first call brings everything. */
export interface ServiceChange {
  /** New or changed service ports. */
  readonly set: readonly ServicePort[];
  /** Keys of those that are gone. */
  readonly removed: readonly string[];
}

/** Carries connections from the addresses of services to their endpoints. One contract suite holds every implementation to it. */
export interface ServiceProxy {
  /**
   * Resolves when the change is in force. Not called again before. An address and port that several service ports want
   * belongs to the one that had it first.
   */
  update(change: ServiceChange): Promise<void>;
  /** What it cannot do on this machine. */
  readonly limitations: readonly string[];
  /** Ends what depends on this process; rules in the kernel stay in force. */
  close(): Promise<void>;
}

/** A port of the machine that a service port wants and another process (or cluster) has. */
export interface PortConflict {
  /** Key of the service port. */
  readonly key: string;
  readonly role: 'nodePort' | 'loadBalancer' | 'hostPort' | 'clusterIP' | 'externalIP';
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly port: number;
}
