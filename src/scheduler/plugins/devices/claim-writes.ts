import { resourceclaims } from '../../../api/resource/v1.gen.ts';
import type { Client } from '../../../client/client.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import type { PodInfo } from '../../pod-info.ts';
import type { DeviceClaim } from './pod-device-claims.ts';

/** Gives an idle claim's devices back. */
export async function deallocate(client: Client, claim: DeviceClaim): Promise<void> {
  const { allocation: _allocation, reservedFor: _reservedFor, ...status } = claim.status ?? {};
  await client.for(resourceclaims).updateStatus({ ...claim, status });
}

/** Takes the pod from those that the claim is reserved for. */
export async function release(client: Client, { metadata }: DeviceClaim, { uid }: PodInfo): Promise<void> {
  const patch = {
    metadata: { uid: metadata.uid },
    status: { reservedFor: [{ $patch: 'delete', uid }] },
  };
  const { namespace = '', name } = metadata;
  await client.for(resourceclaims).patch({ namespace, name }, patch, {
    type: 'application/strategic-merge-patch+json',
    subresource: 'status',
  });
}

/** Deletes a claim that the scheduler made, protected or not. */
export async function discard(client: Client, { metadata }: DeviceClaim): Promise<void> {
  const { namespace = '', name, uid } = metadata;
  const api = client.for(resourceclaims);
  try {
    const patch = { metadata: { uid, finalizers: null } };
    await api.patch({ namespace, name }, patch, { type: 'application/merge-patch+json' });
    await api.delete({ namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
