import type { Container, EphemeralContainer, Pod } from '../api/core/v1.gen.ts';

/** Whether an init container is a sidecar: it keeps running beside the main containers. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function initContainersOf(pod: Pod): readonly Container[] {
  return pod.spec?.initContainers ?? [];
}

export function sidecarsOf(pod: Pod): readonly Container[] {
  return initContainersOf(pod).filter(isSidecar);
}

export function containersOf(pod: Pod): readonly Container[] {
  return pod.spec?.containers ?? [];
}

/** Those that were added to debug the pod; they run once. */
export function ephemeralContainersOf(pod: Pod): readonly EphemeralContainer[] {
  return pod.spec?.ephemeralContainers ?? [];
}

/** Init containers first, in the order of the spec; ephemeral ones last. */
export function allContainersOf(pod: Pod): readonly Container[] {
  return [...initContainersOf(pod), ...containersOf(pod), ...ephemeralContainersOf(pod)];
}

/** `web_default(uid)`, as the kubelet names a pod in messages. */
export function podLabel(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

/** Whether a container that ended with `exitCode` is to be started again; the container's own rules come first. */
export function shouldRestart(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(exitCode) ?? false;
    const matches = rule.exitCodes?.operator === 'NotIn' ? !listed : listed;
    if (matches && rule.action === 'Restart') return true;
  }
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && exitCode !== 0;
}

/** {@link shouldRestart} of an init container that failed: without rules of its own it runs again unless the pod never restarts. */
export function restartsInit(pod: Pod, container: Container, exitCode: number): boolean {
  if (container.restartPolicy !== undefined || container.restartPolicyRules !== undefined) {
    return shouldRestart(pod, container, exitCode);
  }
  return pod.spec?.restartPolicy !== 'Never';
}
