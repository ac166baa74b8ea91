import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { ServiceAccountTokens } from '../volumes/service-account-tokens.ts';
import { announceDrivers } from './announce-drivers.ts';
import { createCsiVolumes, type CsiVolumes } from './csi-volumes.ts';
import { startPluginRegistry, type PluginRegistry } from './plugin-registry.ts';

/** Drivers on a node: their registration and their volumes. */
export interface NodeCsi {
  readonly volumes: CsiVolumes;
  /** Begins to register drivers; the Node object must be there. */
  start(): Promise<void>;
  close(): void;
}

/** Prepares a node for CSI drivers, which register by sockets in its `plugins_registry` folder. */
export function createNodeCsi(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly directory: string;
  readonly tokens: ServiceAccountTokens;
  onUseChange(): void;
  onError(error: unknown): void;
}): NodeCsi {
  const { client, clock, nodeName, directory, tokens, onError } = options;
  let registry: PluginRegistry | undefined;
  let closed = false;
  const volumes = createCsiVolumes({
    client,
    clock,
    nodeName,
    directory,
    driver: (name) => registry?.driver(name),
    token: (pod, audience, seconds) => tokens.token(pod, audience, seconds),
    onUseChange: () => options.onUseChange(),
  });
  return {
    volumes,
    async start() {
      await announceDrivers(client, nodeName, []);
      const started = await startPluginRegistry({
        directory,
        clock,
        onChange: (drivers) => announceDrivers(client, nodeName, drivers),
        onError,
      });
      if (closed) started.close();
      else registry = started;
    },
    close() {
      closed = true;
      registry?.close();
    },
  };
}
