import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { CsiVolumes } from '../csi/csi-volumes.ts';
import { createNodeCsi } from '../csi/start-csi.ts';
import { createDevicePlugins, type DevicePlugins } from '../device-plugins/device-plugins.ts';
import { createPodClaims, type PodClaims } from '../dynamic-resources/pod-claims.ts';
import type { ServiceAccountTokens } from '../volumes/service-account-tokens.ts';
import { startPluginRegistry } from './plugin-registry.ts';

/** What a node knows by plug-ins: volumes of CSI drivers, devices of claims, and devices of device plug-ins. */
export interface NodePlugins {
  readonly volumes: CsiVolumes;
  readonly claims: PodClaims;
  readonly devices: DevicePlugins;
  /** Learns what an earlier agent left. */
  recover(): Promise<void>;
  /** Begins to register plug-ins; the Node object must be there. */
  start(): Promise<void>;
  close(): void;
}

export interface NodePluginsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  /** The node's. */
  readonly directory: string;
  readonly tokens: ServiceAccountTokens;
  /** The node's status is another one now. */
  onStatusChange(): void;
  /** A driver for claims is there: pods may have waited for it. */
  onClaimDriver(): void;
  /** Devices that pods have may have become better or worse. */
  onDeviceHealth(): void;
  onError(error: unknown): void;
}

/** Prepares a node for plug-ins; no library is loaded before there is one. */
export function createNodePlugins(options: NodePluginsOptions): NodePlugins {
  const { directory, clock, onError } = options;
  const csi = createNodeCsi({ ...options, onUseChange: () => options.onStatusChange() });
  const claims = createPodClaims({
    ...options,
    onDriver: () => options.onClaimDriver(),
    onHealth: () => options.onDeviceHealth(),
  });
  const devices = createDevicePlugins({
    clock,
    directory,
    onChange() {
      options.onStatusChange();
      options.onDeviceHealth();
    },
    onError,
  });
  let registry: { close(): void } | undefined;
  let closed = false;
  return {
    volumes: csi.volumes,
    claims,
    devices,
    async recover() {
      await Promise.all([csi.volumes.recover(), claims.recover(), devices.recover()]);
    },
    async start() {
      await Promise.all([csi.announceNone(), devices.start().catch(onError)]);
      const handlers = { CSIPlugin: csi.drivers, DRAPlugin: claims.drivers, DevicePlugin: devices.handler };
      const started = await startPluginRegistry({ directory, clock, handlers, onError });
      if (closed) started.close();
      else registry = started;
    },
    close() {
      closed = true;
      registry?.close();
      csi.drivers.close();
      claims.close();
      devices.close();
    },
  };
}
