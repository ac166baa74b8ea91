import type { NodePodNetwork } from '../create-pod-network.ts';
import type { PolicyTracker } from './policy-tracker.ts';

/** A network whose pods have their address only when the policies that select them are in force. */
export function admitPods(pods: NodePodNetwork, policies: PolicyTracker): NodePodNetwork {
  return {
    async attach(sandboxId, netnsPath, hostPorts, pod) {
      const attached = await pods.attach(sandboxId, netnsPath, hostPorts);
      if (pod) await policies.admit(pod, [attached.ip, ...(attached.additionalIPs ?? [])]);
      return attached;
    },
    detach: (sandboxId) => pods.detach(sandboxId),
  };
}
