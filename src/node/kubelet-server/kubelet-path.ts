/** What a path of the kubelet's endpoint names. */
export type KubeletTarget = ContainerTarget | PodTarget;

export interface ContainerTarget {
  readonly verb: 'containerLogs' | 'exec' | 'attach';
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface PodTarget {
  readonly verb: 'portForward';
  readonly namespace: string;
  readonly pod: string;
}

/** `/exec/NAMESPACE/POD/CONTAINER` and the like; a pod's uid may stand before the container, as upstream allows. */
export function parseKubeletPath(path: string): KubeletTarget | undefined {
  const [verb, namespace, pod, ...rest] = path.split('/').slice(1).map(decodeURIComponent);
  if (!namespace || !pod) return undefined;
  if (verb === 'portForward' && rest.length <= 1) return { verb, namespace, pod };
  const container = rest.at(-1);
  if (!container || rest.length > 2) return undefined;
  if (verb === 'containerLogs' || verb === 'exec' || verb === 'attach')
    return { verb, namespace, pod, container };
  return undefined;
}
