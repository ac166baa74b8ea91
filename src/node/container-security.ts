import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { ContainerSecurity } from './container-runtime.ts';
import type { Image } from './image-service.ts';
import { podLabel } from './pod-containers.ts';
import { WaitingError } from './waiting-error.ts';

/** The security settings of a container, its own before its pod's. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  seccompDefault: 'RuntimeDefault' | 'Unconfined' = 'Unconfined',
): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec?.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  const seccomp = own.seccompProfile ?? shared.seccompProfile;
  return {
    privileged: own.privileged === true,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem === true,
    allowPrivilegeEscalation: own.allowPrivilegeEscalation !== false,
    ...(runAsUser !== undefined && { runAsUser }),
    ...(runAsGroup !== undefined && { runAsGroup }),
    supplementalGroups: [
      ...(shared.supplementalGroups ?? []),
      ...(shared.fsGroup === undefined ? [] : [shared.fsGroup]),
    ],
    ...(shared.supplementalGroupsPolicy === 'Strict' && { supplementalGroupsPolicy: 'Strict' }),
    ...(own.procMount === 'Unmasked' && { procMount: 'Unmasked' }),
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    seccomp: {
      type: seccomp?.type ?? seccompDefault,
      ...(seccomp?.localhostProfile !== undefined && { localhostProfile: seccomp.localhostProfile }),
    },
  };
}

/** Throws `WaitingError` `CreateContainerConfigError` when `runAsNonRoot` forbids the user that would run. */
export function verifyNonRoot(pod: Pod, container: Container, image: Image): void {
  const own = container.securityContext ?? {};
  const shared = pod.spec?.securityContext ?? {};
  if ((own.runAsNonRoot ?? shared.runAsNonRoot) !== true) return;
  const where = `(pod: "${podLabel(pod)}", container: ${container.name})`;
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw refused(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  const [user = ''] = image.config.user.split(':');
  if (user === '' || /^0+$/.test(user)) {
    throw refused(`container has runAsNonRoot and image will run as root ${where}`);
  }
  if (!/^\d+$/.test(user)) {
    throw refused(
      `container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`,
    );
  }
}

function refused(message: string): WaitingError {
  return new WaitingError('CreateContainerConfigError', message);
}
