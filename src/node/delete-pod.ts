import { pods, type Pod } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';

/** Deletes a pod that has ended from the API, at once; another of its name stays. */
export async function deletePod(client: Client, pod: Live<Pod>, signal: AbortSignal): Promise<void> {
  const { name, namespace = '', uid } = pod.metadata;
  const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal };
  try {
    await client.for(pods).delete({ namespace, name }, options);
  } catch (error) {
    if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
  }
}
