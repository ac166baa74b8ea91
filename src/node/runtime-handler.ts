import type { Pod } from '../api/core/v1.gen.ts';
import { runtimeclasses } from '../api/node/v1.gen.ts';
import type { Client } from '../client/client.ts';
import { StatusError } from '../machinery/status-error.ts';
import { RuntimeError } from './container-runtime.ts';

/** What the pod's RuntimeClass calls the way of running it; undefined for pods without one. Throws `RuntimeError`. */
export async function runtimeHandlerOf(client: Client, pod: Pod): Promise<string | undefined> {
  const name = pod.spec?.runtimeClassName;
  if (name === undefined || name === '') return undefined;
  try {
    return (await client.for(runtimeclasses).get({ name })).handler;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new RuntimeError('NOT_FOUND', `failed to get sandbox runtime: ${error.message}`, { cause: error });
  }
}
