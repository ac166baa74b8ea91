import { resolveCdiDevices } from '../../cdi/resolve-cdi-devices.ts';
import { RuntimeError, type ContainerSpec } from '../../container-runtime.ts';

/**
 * The container with the variables and mounts of its CDI devices. The devices themselves are there already, as the machine has them;
 * throws `RuntimeError` when they are to be elsewhere, or want hooks.
 */
export async function withCdiDevices(spec: ContainerSpec): Promise<ContainerSpec> {
  if (!spec.cdi) return spec;
  const { env = [], mounts = [], deviceNodes = [], hooks = [] } = await resolveCdiDevices(spec.cdi);
  const moved = deviceNodes.find(({ path, hostPath = path }) => hostPath !== path);
  if (moved) throw unsupported(`device ${moved.hostPath} cannot be shown as ${moved.path}`);
  if (hooks.length > 0) throw unsupported('hooks are not run');
  return {
    ...spec,
    env: [
      ...spec.env,
      ...env.map((entry) => {
        const at = entry.indexOf('=');
        return { name: entry.slice(0, at), value: entry.slice(at + 1) };
      }),
    ],
    mounts: [
      ...spec.mounts,
      ...mounts.map(({ hostPath, containerPath, options = [] }) => ({
        hostPath,
        containerPath,
        readOnly: options.includes('ro'),
      })),
    ],
  };
}

function unsupported(why: string): RuntimeError {
  return new RuntimeError('UNSUPPORTED', `CDI device injection failed: ${why} by the process runtime`);
}
