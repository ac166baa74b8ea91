import { builtinResources } from '../api/catalog.ts';
import type { AnyResource } from '../api/resource.ts';
import { systemClock } from '../base/clock.ts';
import type { MetricRegistry } from '../base/metrics/registry.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/create-client.ts';
import { isStatus } from '../machinery/status-error.ts';
import { createTestApiServer } from '../server/test-api-server.ts';
import { createMemoryStore } from '../storage/memory/memory-store.ts';
import type { Controller, WorkFailure } from './controller.ts';
import { createInformers } from './create-informers.ts';
import { startControllers } from './start-controllers.ts';

/** A real API server in memory, listening nowhere, with controllers; for tests. */
export interface TestServer {
  readonly client: Client;
  /** Rejects when a controller failed at anything but an object that changed or went meanwhile. */
  stop(): Promise<void>;
}

export interface TestServerOptions {
  readonly serviceCidr?: string;
  /** Where controllers put their metrics. */
  readonly metrics?: MetricRegistry;
  /** Served beside the usual ones. */
  readonly resources?: readonly AnyResource[];
}

/** Starts a server with a namespace `default` and lets `controllers` run on it. Objects they see are frozen. */
export async function startTestServer(
  controllers: readonly Controller[],
  { serviceCidr = '10.96.0.0/16', metrics, resources = [] }: TestServerOptions = {},
): Promise<TestServer> {
  const clock = systemClock;
  const store = createMemoryStore({ clock });
  const failures: WorkFailure[] = [];
  const server = await createTestApiServer({
    store,
    resources: (needs) => [...builtinResources({ ...needs, serviceCidr }), ...resources],
  });
  const client = createClient(
    server.transport({ name: 'tester', groups: ['system:masters', 'system:authenticated'] }),
  );
  const informers = createInformers(client, { clock, freeze: true });
  const running = startControllers(controllers, {
    client,
    informers,
    clock,
    ...(metrics && { metrics }),
    onFailure(failure) {
      const overtaken = isStatus(failure.error, 'Conflict') || isStatus(failure.error, 'NotFound');
      if (!overtaken) failures.push(failure);
    },
  });
  return {
    client,
    async stop() {
      await running.stop();
      await informers.stop();
      await server.close();
      await store.close();
      if (failures.length > 0) throw new AggregateError(failures.map(failureError), 'controllers failed');
    },
  };
}

function failureError({ controller, key, error }: WorkFailure): Error {
  return new Error(`${controller}: ${key}: ${String(error)}`, { cause: error });
}
