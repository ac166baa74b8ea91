import type { Pod } from '../../api/core/v1.gen.ts';
import type { Protocol } from './compile-policy.ts';

/** What policies have to know of a pod. */
export interface PolicyPod {
  /** `namespace/name`. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** All its addresses, of either family. */
  readonly addresses: readonly string[];
  readonly ports: readonly PodPort[];
  /** Whether packets of this pod pass here, so that policies that select it are enforced here. */
  readonly local: boolean;
}

export interface PodPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/**
 * Whether a pod has an address of its own that policies can speak of: pods that have ended have given it back, and pods in
 * the node's network are the node to everybody else.
 */
export function hasPolicyAddress({ spec, status }: Pod): boolean {
  return spec?.hostNetwork !== true && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

/** The named ports of a pod, those of sidecars included. */
export function namedPorts({ spec }: Pod): readonly PodPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = 'TCP', containerPort }) =>
      name === undefined || name === ''
        ? []
        : [{ name, protocol: protocol.toLowerCase() as Protocol, port: containerPort }],
    ),
  );
}
