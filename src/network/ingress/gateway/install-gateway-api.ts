import { customresourcedefinitions } from '../../../api/apiextensions/v1.gen.ts';
import { sleep, type Clock } from '../../../base/clock.ts';
import type { Client, ResourceClient } from '../../../client/client.ts';
import type { KubeObject, ResourceType } from '../../../machinery/object.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import { find } from '../../upsert.ts';
import {
  gatewayClasses,
  gatewayController,
  gateways,
  grpcRoutes,
  httpRoutes,
  referenceGrants,
} from './gateway-api.ts';
import { gatewayDefinitions } from './gateway-definitions.ts';

const pollMs = 20;
const types: readonly ResourceType<KubeObject>[] = [
  gatewayClasses,
  gateways,
  httpRoutes,
  grpcRoutes,
  referenceGrants,
];

/**
 * Makes the kinds of the Gateway API and the GatewayClass `kanoe` where they are missing. Kinds that somebody else installed,
 * in whatever version, stay as they are. Resolves when those that were made are served; rejects when the signal aborts.
 */
export async function installGatewayApi(client: Client, clock: Clock, signal: AbortSignal): Promise<void> {
  const crds = client.for(customresourcedefinitions);
  const made = new Set<string>();
  for (const definition of gatewayDefinitions()) {
    const { name = '' } = definition.metadata;
    if (await find(crds, { name })) continue;
    if (await createUnlessThere(crds, definition)) made.add(definition.spec.names.plural);
  }
  for (const type of types)
    if (made.has(type.resource)) await untilServed(() => client.for(type).list({ limit: 1 }));
  const classes = client.for(gatewayClasses);
  if (await find(classes, { name: 'kanoe' })) return;
  await untilServed(() =>
    createUnlessThere(classes, {
      apiVersion: `${gatewayClasses.group}/v1`,
      kind: 'GatewayClass',
      metadata: { name: 'kanoe' },
      spec: { controllerName: gatewayController },
    }),
  );

  async function untilServed(act: () => Promise<unknown>): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        await act();
        return;
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error;
        await sleep(clock, pollMs, signal);
      }
    }
  }
}

async function createUnlessThere<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
): Promise<boolean> {
  try {
    await resource.create(object);
    return true;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
    return false;
  }
}
