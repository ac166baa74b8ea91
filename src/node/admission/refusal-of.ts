import { requiredNodes } from '../../api/core/node-selector.ts';
import { tolerates } from '../../api/core/toleration.ts';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { hostPortsConflict } from '../host-ports.ts';
import { insufficiency, insufficiencyMessage } from './insufficient-resource.ts';
import { isStaticPod } from './static-pod.ts';
import { forbiddenSysctl } from './sysctls.ts';

/** Why a node refuses a pod: `reason` and `message` of its event. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** What decides whether a node takes a pod. */
export interface AdmissionView {
  /** As the API has it; undefined before it has been read. */
  readonly node: Node | undefined;
  /** Pods that the node has taken and that are not over, with the resources they were given. */
  readonly others: readonly Pod[];
  readonly allocatable: Readonly<Record<string, string>>;
  /** Sysctl names and prefixes (`net.core.*`) allowed beside the safe ones. */
  readonly allowedUnsafeSysctls: readonly string[];
  /** Conditions of pressure that hold, such as `MemoryPressure`. */
  readonly pressure: readonly string[];
  /** Whether the runtime keeps `supplementalGroupsPolicy: Strict`. */
  readonly keepsGroupsStrict: boolean;
  readonly shuttingDown: boolean;
}

/** Pods of this priority and above are critical to the system. */
const CRITICAL_PRIORITY = 2_000_000_000;

/** Whether a pod must run whatever else does: it is static, or of a system priority class. */
export function isCriticalPod(pod: Pod): boolean {
  return isStaticPod(pod) || (pod.spec.priority ?? 0) >= CRITICAL_PRIORITY;
}

/** Why a node does not take a pod that was bound to it; undefined when it does (the kubelet's admit handlers, in their order). */
export function refusalOf(pod: Pod, view: AdmissionView): Refusal | undefined {
  if (view.shuttingDown)
    return { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
  const { name: os } = pod.spec.os ?? {};
  if (os !== undefined && os !== 'linux')
    return {
      reason: 'PodOSNotSupported',
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  if (pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict' && !view.keepsGroupsStrict)
    return {
      reason: 'SupplementalGroupsPolicyNotSupported',
      message: 'SupplementalGroupsPolicy=Strict is not supported in this node',
    };
  return (
    refusedForPressure(pod, view.pressure) ??
    forbiddenSysctl(pod, view.allowedUnsafeSysctls) ??
    refusedByAppArmor(pod) ??
    refusedForResources(pod, view) ??
    refusedByPredicates(pod, view)
  );
}

function refusedForPressure(pod: Pod, pressure: readonly string[]): Refusal | undefined {
  if (pressure.length === 0 || isCriticalPod(pod)) return undefined;
  const onlyMemory = pressure.every((condition) => condition === 'MemoryPressure');
  if (onlyMemory) {
    const taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' } as const;
    if (pod.status?.qosClass !== 'BestEffort' || tolerates(pod.spec.tolerations, taint)) return undefined;
  }
  return { reason: 'Evicted', message: `The node had condition: [${pressure.join(' ')}]. ` };
}

/** No profile can be enforced here: a pod that asks for one must not run without it. */
function refusedByAppArmor(pod: Pod): Refusal | undefined {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const all = [...containers, ...initContainers, ...ephemeralContainers];
  const profiles = [pod.spec.securityContext, ...all.map((container) => container.securityContext)].map(
    (context) => context?.appArmorProfile?.type,
  );
  if (profiles.every((type) => type === undefined || type === 'Unconfined')) return undefined;
  return {
    reason: 'AppArmor',
    message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  };
}

function refusedForResources(pod: Pod, { others, allocatable }: AdmissionView): Refusal | undefined {
  const found = insufficiency(pod, { others, allocatable });
  return found && { reason: `OutOf${found.resource}`, message: insufficiencyMessage(found) };
}

function refusedByPredicates(pod: Pod, { node, others }: AdmissionView): Refusal | undefined {
  if (node && requiredNodes(pod)?.(node) === false)
    return predicate('NodeAffinity', "node(s) didn't match Pod's node affinity/selector");
  if (others.some((other) => hostPortsConflict(pod, other)))
    return predicate('NodePorts', "node(s) didn't have free ports for the requested pod ports");
  const untolerated = node?.spec?.taints?.some(
    (taint) => taint.effect === 'NoExecute' && !tolerates(pod.spec.tolerations, taint),
  );
  if (untolerated === true && !isStaticPod(pod))
    return predicate('TaintToleration', "node(s) had taints that the pod didn't tolerate");
  return undefined;
}

function predicate(name: string, why: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${why}` };
}
