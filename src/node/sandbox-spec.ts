import type { Pod } from '../api/core/v1.gen.ts';
import { podResources, qosClassOf } from './container-resources.ts';
import type { SandboxSpec } from './container-runtime.ts';
import { allContainersOf } from './pod-containers.ts';
import { kernelHostname } from './pod-etc.ts';

/** Annotation of a sandbox: how long its containers may take to end, when nothing but the sandbox is left to tell. */
export const GRACE_SECONDS: string = 'kanoe.io/termination-grace-period-seconds';

/** The sandbox of a pod. */
export function sandboxSpec(pod: Pod, attempt: number, clusterDomain: string): SandboxSpec {
  const { spec, metadata } = pod;
  const sysctls = Object.fromEntries(
    (spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value] as const),
  );
  return {
    podUid: metadata.uid ?? '',
    podName: metadata.name ?? '',
    podNamespace: metadata.namespace ?? '',
    attempt,
    hostname: kernelHostname(pod, clusterDomain),
    labels: metadata.labels ?? {},
    annotations: {
      [GRACE_SECONDS]: String(spec?.terminationGracePeriodSeconds ?? 30),
    },
    hostNetwork: spec?.hostNetwork === true,
    hostPID: spec?.hostPID === true,
    hostIPC: spec?.hostIPC === true,
    shareProcessNamespace: spec?.shareProcessNamespace === true,
    ...(spec?.hostUsers === false && { userNamespace: true }),
    sysctls,
    privileged: allContainersOf(pod).some((container) => container.securityContext?.privileged === true),
    resources: podResources(pod),
    qosClass: qosClassOf(pod),
    hostPorts: allContainersOf(pod).flatMap((container) =>
      (container.ports ?? []).flatMap((port) =>
        port.hostPort === undefined || port.hostPort === 0
          ? []
          : [
              {
                protocol: port.protocol ?? 'TCP',
                containerPort: port.containerPort,
                hostPort: port.hostPort,
                ...(port.hostIP !== undefined && port.hostIP !== '' && { hostIP: port.hostIP }),
              },
            ],
      ),
    ),
  };
}
