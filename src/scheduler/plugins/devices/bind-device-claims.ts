import { isReservedFor } from '../../../api/resource/pod-claim-name.ts';
import { resourceclaims, type AllocationResult, type ResourceClaim } from '../../../api/resource/v1.gen.ts';
import { timestamp, type Clock } from '../../../base/clock.ts';
import type { Client } from '../../../client/client.ts';
import { isStatus } from '../../../machinery/status-error.ts';
import type { Informer } from '../../../reconcile/informer.ts';
import type { PodInfo } from '../../pod-info.ts';
import { waitUntil } from '../wait-until.ts';
import type { DeviceClaim } from './pod-device-claims.ts';

const finalizer = 'resource.kubernetes.io/delete-protection';
const attempts = 5;

export interface BindClaimOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly pod: PodInfo;
}

/** Writes the allocation, when there is a new one, and reserves the claim for the pod. */
export async function bindDeviceClaim(
  claim: DeviceClaim,
  allocation: AllocationResult | undefined,
  { client, clock, pod }: BindClaimOptions,
): Promise<DeviceClaim> {
  const api = client.for(resourceclaims);
  const { namespace = '', name } = claim.metadata;
  const key = `${namespace}/${name}`;
  let current = claim;
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!isStatus(error, 'Conflict') || attempt === attempts) throw error;
      current = await api.get({ namespace, name });
    }
  }

  async function write(): Promise<DeviceClaim> {
    if (current.metadata.deletionTimestamp !== undefined) {
      throw new Error(`claim ${key} got deleted in the meantime`);
    }
    if (isReservedFor(current, pod.uid) && current.status?.allocation) return current;
    if (allocation) {
      if (current.status?.allocation) throw new Error(`claim ${key} got allocated elsewhere in the meantime`);
      const { finalizers = [] } = current.metadata;
      if (!finalizers.includes(finalizer)) {
        current = await api.update({
          ...current,
          metadata: { ...current.metadata, finalizers: [...finalizers, finalizer] },
        });
      }
    }
    const waits = allocation?.devices?.results?.some(
      ({ bindingConditions = [] }) => bindingConditions.length > 0,
    );
    const reservedFor = [
      ...(current.status?.reservedFor ?? []),
      { resource: 'pods', name: pod.name, uid: pod.uid },
    ];
    return api.updateStatus({
      ...current,
      status: {
        ...current.status,
        ...(allocation && {
          allocation: {
            ...allocation,
            ...(waits && { allocationTimestamp: timestamp(clock.now()) }),
          },
        }),
        reservedFor,
      },
    });
  }
}

/** Waits until drivers have said of all devices that the pod may be bound (KEP-5007). Throws when they say it may not. */
export async function awaitBindingConditions(
  claims: readonly DeviceClaim[],
  {
    informer,
    clock,
    timeoutMs,
    signal,
  }: {
    readonly informer: Informer<ResourceClaim>;
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const waiting = claims.filter((claim) => conditionsOf(claim).length > 0);
  if (waiting.length === 0) return;
  await waitUntil(
    () =>
      waiting.every(({ metadata }) => {
        const claim = informer.get(metadata.namespace, metadata.name);
        if (!claim)
          throw new Error(`claim ${metadata.namespace ?? ''}/${metadata.name} got deleted in the meantime`);
        return isReady(claim);
      }),
    { clock, timeoutMs, timeoutMessage: 'device binding timeout', signal, informers: [informer] },
  );
}

type Result = NonNullable<NonNullable<AllocationResult['devices']>['results']>[number];

function conditionsOf({ status }: ResourceClaim): readonly Result[] {
  return (status?.allocation?.devices?.results ?? []).filter(
    ({ bindingConditions = [] }) => bindingConditions.length > 0,
  );
}

function isReady(claim: ResourceClaim): boolean {
  return conditionsOf(claim).every(
    ({ driver, pool, device, bindingConditions, bindingFailureConditions }) => {
      const said = claim.status?.devices?.find(
        (one) => one.driver === driver && one.pool === pool && one.device === device,
      );
      const isTrue = (type: string): boolean =>
        said?.conditions.some((condition) => condition.type === type && condition.status === 'True') ?? false;
      const failed = bindingFailureConditions?.find(isTrue);
      if (failed !== undefined)
        throw new Error(`claim ${claim.metadata.name ?? ''} binding failed: ${failed}`);
      return bindingConditions?.every(isTrue) ?? true;
    },
  );
}
