import type { StatefulSet } from '../../api/apps/v1.gen.ts';
import { persistentvolumeclaims, pods, type PersistentVolumeClaim, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { ControllerContext } from '../../reconcile/controller.ts';
import { messageOf } from '../pods/refusal.ts';
import type { StatefulSetStep } from './plan.ts';

/** A write that the pod cache has yet to see. */
export interface PodWrite {
  readonly step: 'create' | 'delete';
  readonly pod: Live<Pod>;
}

/** Carries steps out and tells of them in upstream's events. */
export interface StepWriter {
  /** Throws what the server refuses. */
  write(step: StatefulSetStep): Promise<PodWrite | undefined>;
}

/** Writes for one set. */
export function stepWriter({ client, events }: ControllerContext, set: Live<StatefulSet>): StepWriter {
  const podClient = client.for(pods);
  const claimClient = client.for(persistentvolumeclaims);
  const { name: setName } = set.metadata;
  return { write };

  async function write(step: StatefulSetStep): Promise<PodWrite | undefined> {
    switch (step.step) {
      case 'create':
        return await create(step.pod, step.claims);
      case 'refuse':
        tell('Create', step.pod, step.reason);
        throw new Error(step.reason);
      case 'provide':
        await createClaims(step.pod, step.claims);
        return undefined;
      case 'own': {
        const { claim, owners: ownerReferences } = step;
        await claimClient.update({ ...claim, metadata: { ...claim.metadata, ownerReferences } });
        return undefined;
      }
      case 'repair':
        await told('Update', step.pod, () => podClient.update(step.pod));
        tell('Update', step.pod);
        return undefined;
      case 'delete':
        return await remove(step.pod);
      default:
        return step;
    }
  }

  async function create(draft: Pod, claims: readonly PersistentVolumeClaim[]): Promise<PodWrite> {
    const pod = await told('Create', draft, async () => {
      await createClaims(draft, claims);
      return await podClient.create(draft);
    });
    tell('Create', draft);
    return { step: 'create', pod };
  }

  async function remove(pod: Live<Pod>): Promise<PodWrite | undefined> {
    const { namespace = '', name, uid } = pod.metadata;
    try {
      await podClient.delete({ namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return undefined;
      tell('Delete', pod, error);
      throw error;
    }
    tell('Delete', pod);
    return { step: 'delete', pod };
  }

  async function createClaims(pod: Pod, claims: readonly PersistentVolumeClaim[]): Promise<void> {
    for (const claim of claims) {
      const { name = '' } = claim.metadata;
      try {
        await claimClient.create(claim);
      } catch (error) {
        if (isStatus(error, 'AlreadyExists')) continue;
        const message = `Create Claim ${name} for Pod ${pod.metadata.name ?? ''} in StatefulSet ${setName} failed error: ${messageOf(error)}`;
        events.record(set, 'Warning', 'FailedCreate', message);
        throw new Error(`failed to create PVC ${name}: ${messageOf(error)}`, { cause: error });
      }
      const message = `Create Claim ${name} Pod ${pod.metadata.name ?? ''} in StatefulSet ${setName} success`;
      events.record(set, 'Normal', 'SuccessfulCreate', message);
    }
  }

  async function told<T>(verb: 'Create' | 'Update', pod: Pod, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) tell(verb, pod, error);
      throw error;
    }
  }

  function tell(verb: 'Create' | 'Update' | 'Delete', pod: Pod, error?: unknown): void {
    const what = `${verb} Pod ${pod.metadata.name ?? ''} in StatefulSet ${setName}`;
    if (error === undefined) events.record(set, 'Normal', `Successful${verb}`, `${what} successful`);
    else events.record(set, 'Warning', `Failed${verb}`, `${what} failed error: ${messageOf(error)}`);
  }
}
