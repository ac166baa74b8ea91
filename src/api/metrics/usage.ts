/** What something uses, measured over the time before `at`. */
export interface Usage {
  /** CPU time by wall time, in billionths of a core. */
  readonly cpuNanocores: number;
  /** The working set. */
  readonly memoryBytes: number;
}

/** One node's use of its machine. */
export interface NodeUsage extends Usage {
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly windowMs: number;
}

/** What the containers of one pod use. */
export interface PodUsage {
  readonly namespace: string;
  readonly pod: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly windowMs: number;
  readonly containers: readonly (Usage & { readonly name: string })[];
}

/** The latest measurements of a cluster's nodes; what has not been measured twice yet is left out. */
export interface UsageSource {
  nodes(): readonly NodeUsage[];
  pods(): readonly PodUsage[];
}
