import type { ContainerDevice, ContainerMount } from '../container-runtime.ts';
import type { AllocateResponse } from './device-plugin-protocol.ts';

/** What a container gets for its devices. */
export interface DeviceOptions {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly ContainerMount[];
  readonly devices: readonly ContainerDevice[];
  readonly annotations: Readonly<Record<string, string>>;
  /** CDI names. */
  readonly cdi: readonly string[];
}

/** What several plug-ins answered, as one: of what two of them set, the first counts. */
export function deviceOptions(responses: readonly AllocateResponse[]): DeviceOptions {
  const mounts = responses.flatMap((one) => one.mounts);
  const devices = responses.flatMap((one) => one.devices);
  const env = first(responses.flatMap(({ envs }) => Object.entries(envs)));
  return {
    env: [...env].map(([name, value]) => ({ name, value })),
    mounts: [...first(mounts.map((one) => [one.container_path, one])).values()].map((mount) => ({
      hostPath: mount.host_path,
      containerPath: mount.container_path,
      readOnly: mount.read_only,
    })),
    devices: [...first(devices.map((one) => [one.container_path, one])).values()].map((device) => ({
      hostPath: device.host_path,
      containerPath: device.container_path,
      ...(device.permissions && { permissions: device.permissions }),
    })),
    annotations: Object.fromEntries(first(responses.flatMap((one) => Object.entries(one.annotations)))),
    cdi: [...new Set(responses.flatMap((one) => one.cdi_devices.map(({ name }) => name)))],
  };
}

function first<T>(entries: readonly (readonly [string, T])[]): ReadonlyMap<string, T> {
  return new Map(entries.toReversed());
}
