import { customresourcedefinitions } from '../../api/apiextensions/v1.gen.ts';
import { sleep, type Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { kwokDefinitions } from './kwok/definitions.ts';
import { stages, type Stage } from './kwok/stage.ts';

interface InstallOptions {
  readonly clock: Clock;
  readonly firstStages: readonly Stage[];
  readonly signal: AbortSignal;
}

/** How long a new definition may take to be served. */
const PATIENCE_MS = 30_000;

/**
 * Makes the server know KWOK's resources. The first stages come with the definition of stages: whoever deletes or
 * changes one of them later keeps that.
 */
export async function installKwok(
  client: Client,
  { clock, firstStages, signal }: InstallOptions,
): Promise<void> {
  const resource = client.for(customresourcedefinitions);
  const created = await Promise.all(
    kwokDefinitions().map(async (definition) => {
      try {
        await resource.create(definition);
        return definition.spec.names.plural;
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) return undefined;
        throw error;
      }
    }),
  );
  const deadline = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    try {
      await client.for(stages).list({ signal });
      break;
    } catch (error) {
      if (!isStatus(error, 'NotFound') || clock.monotonic() > deadline) throw error;
      await sleep(clock, 20, signal);
    }
  }
  if (!created.includes('stages')) return;
  for (const stage of firstStages) {
    await client
      .for(stages)
      .create(stage)
      .catch((error: unknown) => {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      });
  }
}
