import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { ServiceAccountTokens } from '../volumes/service-account-tokens.ts';
import { announceDrivers } from './announce-drivers.ts';
import { createCsiDrivers, type CsiDrivers } from './csi-drivers.ts';
import { createCsiVolumes, type CsiVolumes } from './csi-volumes.ts';

/** CSI drivers on a node: their registration and their volumes. */
export interface NodeCsi {
  readonly volumes: CsiVolumes;
  readonly drivers: CsiDrivers;
  /** Says that there are no drivers yet; the Node object must be there. */
  announceNone(): Promise<void>;
}

/** Prepares a node for CSI drivers. */
export function createNodeCsi(options: {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  readonly directory: string;
  readonly tokens: ServiceAccountTokens;
  onUseChange(): void;
}): NodeCsi {
  const { client, clock, nodeName, directory, tokens } = options;
  const drivers = createCsiDrivers({
    directory,
    clock,
    onChange: (registered) => announceDrivers(client, nodeName, registered),
  });
  const volumes = createCsiVolumes({
    client,
    clock,
    nodeName,
    directory,
    driver: (name) => drivers.driver(name),
    token: (pod, audience, seconds) => tokens.token(pod, audience, seconds),
    onUseChange: () => options.onUseChange(),
  });
  return { volumes, drivers, announceNone: () => announceDrivers(client, nodeName, []) };
}
