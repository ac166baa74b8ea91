/** One port of one Service (or one host port of a pod) as a proxy serves it; plain data. */
export interface ServicePort {
  /** Unique: `namespace/name/tcp/port`, of the IPv6 side `namespace/name/tcp/port/IPv6`. */
  readonly key: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** Of all its addresses; absent: IPv4. */
  readonly family?: 'IPv6';
  readonly frontends: readonly Frontend[];
  /** Where connections go, in a stable order. Empty: they are refused. */
  readonly endpoints: readonly Backend[];
  /** With `internalTrafficPolicy: Local`: what pods of each node get from `clusterIP` frontends instead. */
  readonly nodeEndpoints?: readonly NodeBackends[];
  /** For a proxy that serves one node alone: what connections that are to stay on it get. */
  readonly local?: LocalBackends;
  /** Seconds for which a client keeps its endpoint (`sessionAffinity: ClientIP`). */
  readonly affinitySeconds?: number;
  /** Who may use the `loadBalancer` frontends; absent: everybody. */
  readonly sourceRanges?: readonly string[];
}

/** An address and port where a service answers. */
export interface Frontend {
  readonly role: 'clusterIP' | 'externalIP' | 'loadBalancer' | 'nodePort' | 'hostPort';
  /** Absent: every address of the machine. */
  readonly address?: string;
  readonly port: number;
}

export interface Backend {
  readonly ip: string;
  readonly port: number;
}

export interface LocalBackends {
  /** Whether `clusterIP` frontends lead to these (`internalTrafficPolicy: Local`). */
  readonly internal: boolean;
  /** Whether the other frontends do, for clients from elsewhere (`externalTrafficPolicy: Local`); the node's own do not. */
  readonly external: boolean;
  readonly endpoints: readonly Backend[];
}

export interface NodeBackends {
  /** The node's pod range. Its first address is the host's own, to which every node is local. */
  readonly range: string;
  readonly endpoints: readonly Backend[];
}

/** Names what at most one service port can have: `10.96.0.1:443/TCP`, `*:30080/TCP`, `[*]:30080/TCP`. */
export function frontendKey(
  { protocol, family }: Pick<ServicePort, 'protocol' | 'family'>,
  frontend: Frontend,
): string {
  return `${frontend.address ?? (family === 'IPv6' ? '[*]' : '*')}:${frontend.port}/${protocol}`;
}

/** Whether the key is that of a service port of IPv6. */
export function isIpv6Key(key: string): boolean {
  return key.endsWith(ipv6Suffix);
}

/** What the keys of service ports of IPv6 end with. */
export const ipv6Suffix: string = '/IPv6';
