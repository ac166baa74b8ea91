import { customresourcedefinitions } from '../../../api/apiextensions/v1.gen.ts';
import { sleep, type Clock } from '../../../base/clock.ts';
import type { Client, ResourceClient } from '../../../client/client.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import { isConditionTrue } from '../../../reconcile/conditions.ts';
import { find } from '../../upsert.ts';
import { gatewayClasses, gatewayController } from './gateway-api.ts';
import { gatewayDefinitions } from './gateway-definitions.ts';

const pollMs = 20;
const polls = 500;

/**
 * Makes the kinds of the Gateway API and the GatewayClass `kanoe` where they are missing. Kinds that somebody else installed,
 * in whatever version, stay as they are. Resolves when they are served.
 */
export async function installGatewayApi(client: Client, clock: Clock, signal: AbortSignal): Promise<void> {
  const crds = client.for(customresourcedefinitions);
  for (const definition of gatewayDefinitions()) {
    const { name = '' } = definition.metadata;
    if (!(await find(crds, { name }))) await createUnlessThere(crds, definition);
  }
  const { resource, group } = gatewayClasses;
  for (let poll = 0; poll < polls; poll++) {
    const served = await find(crds, { name: `${resource}.${group}` });
    if (isConditionTrue(served?.status?.conditions ?? [], 'Established')) break;
    await sleep(clock, pollMs, signal);
  }
  const class_ = { metadata: { name: 'kanoe' }, spec: { controllerName: gatewayController } };
  const classes = client.for(gatewayClasses);
  for (let poll = 0; poll < polls; poll++) {
    try {
      if (!(await find(classes, { name: 'kanoe' })))
        await createUnlessThere(classes, {
          apiVersion: `${group}/v1`,
          kind: 'GatewayClass',
          ...class_,
        });
      return;
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
      await sleep(clock, pollMs, signal);
    }
  }
}

async function createUnlessThere<T extends KubeObject>(
  resource: ResourceClient<T>,
  object: T,
): Promise<void> {
  try {
    await resource.create(object);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
}
