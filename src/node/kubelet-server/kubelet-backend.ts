import type { ContainerRuntime } from '../container-runtime.ts';
import type { NodeAgent } from '../agent.ts';

/** What a kubelet server asks: a node's agent, or what stands for many of them. */
export interface KubeletBackend extends Pick<NodeAgent, 'pods' | 'logs' | 'sandboxFor'> {
  containerFor(namespace: string, pod: string, container: string): { readonly id: string } | undefined;
  readonly runtime: Pick<ContainerRuntime, 'exec' | 'attach' | 'connectPort'>;
}
