import type { Container } from '../../api/core/v1.gen.ts';
import type { ContainerDevice } from '../container-runtime.ts';
import { WaitingError } from '../waiting-error.ts';
import type { PodVolumes } from './pod-volumes.ts';

/** The volumes that a container gets as block devices. Throws `WaitingError` `CreateContainerConfigError`. */
export function containerDevices(
  { name: container, volumeDevices = [] }: Container,
  { volumes, supported }: { readonly volumes: PodVolumes; readonly supported: boolean },
): readonly ContainerDevice[] {
  return volumeDevices.map(({ name, devicePath }) => {
    if (!supported)
      throw configError(
        `volume "${name}" cannot be given as block device ${devicePath}: this node's runtime gives none`,
      );
    const hostPath = volumes.pathOf(name);
    if (hostPath === undefined)
      throw configError(`cannot find volume "${name}" to pass into container "${container}"`);
    if (!volumes.isBlock(name))
      throw configError(`volume ${name} has volumeMode Filesystem, but is specified in volumeDevices`);
    return { hostPath, containerPath: devicePath };
  });
}

function configError(message: string): WaitingError {
  return new WaitingError('CreateContainerConfigError', message);
}
