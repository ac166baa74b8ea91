import { join } from 'node:path';
import type { Container, Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { CdiDevices } from './container-runtime.ts';
import type { DeviceOptions } from './device-plugins/container-device-options.ts';
import type { NodeContext } from './node-context.ts';
import { PluginError } from './plugins/plugin-connection.ts';
import { WaitingError } from './waiting-error.ts';

/** What a container gets for the devices of its claims and of device plug-ins. Throws `WaitingError` `CreateContainerConfigError`. */
export async function givenDevices(
  node: NodeContext,
  pod: Live<Pod>,
  container: Container,
): Promise<Omit<DeviceOptions, 'cdi'> & { readonly cdi: CdiDevices }> {
  try {
    const { cdi, ...options } = await node.devices.beforeStart(pod, container);
    const names = [...new Set([...cdi, ...node.claims.cdiDevices(pod, container)])];
    return { ...options, cdi: { names, folders: [...machineFolders, join(node.directory, 'cdi')] } };
  } catch (cause) {
    if (!(cause instanceof PluginError)) throw cause;
    throw new WaitingError('CreateContainerConfigError', cause.message, { cause });
  }
}

/** Where drivers tell of their devices (CDI's default). */
const machineFolders = ['/etc/cdi', '/var/run/cdi'];
