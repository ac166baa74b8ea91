import {
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolumeClaim,
} from '../../api/core/v1.gen.ts';
import { volumesnapshotcontents, volumesnapshots } from '../../api/snapshot/v1.ts';
import { storageclasses } from '../../api/storage/v1.gen.ts';
import type { KubeObject, Live, ResourceType } from '../../machinery/object.ts';
import { isStatus, StatusError } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  settled,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { isLocalVolume, LOCAL_DRIVER, machineOfNode } from './local-driver.ts';
import type { LocalSource, LocalVolumes } from './local-volumes.ts';
import { planProvision, type ProvisionPlan } from './plan-provision.ts';

export interface LocalStorageOptions {
  readonly volumes: LocalVolumes;
  /** The value of the machine's label on its nodes. */
  readonly machine: string;
  /** Where the machine keeps its volumes. */
  readonly directory: string;
}

type Claim = Live<PersistentVolumeClaim>;
type Provision = Extract<ProvisionPlan, { do: 'provision' }>;

/** Makes the volumes of claims whose class is the local driver's, as a CSI driver's external provisioner does. */
export function startProvisioner(
  context: ControllerContext,
  { volumes, machine, directory }: LocalStorageOptions,
): RunningController {
  const { client, informers } = context;
  const events = context.events.as(LOCAL_DRIVER);
  const claimCache = informers.for(persistentvolumeclaims);
  const classCache = informers.for(storageclasses);
  const nodeCache = informers.for(nodes);
  const volumeCache = informers.for(persistentvolumes);
  const reconciler = startReconciler(context, {
    name: 'local-volume-provisioner',
    caches: [claimCache, classCache, nodeCache, volumeCache],
    backoff: { baseMs: 200, maxMs: 60_000 },
    reconcile,
  });
  const wake = (claim: Claim): void => {
    if (!claim.spec.volumeName) reconciler.add(objectKey(claim));
  };
  claimCache.addHandler({ onAdd: wake, onUpdate: wake });
  classCache.addHandler({ onAdd: () => claimCache.list().forEach(wake) });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const claim = byKey(claimCache, key);
    if (!claim) return settled;
    const plan = planProvision({
      claim,
      machine,
      directory,
      storageClass: (name) => classCache.get(undefined, name),
      machineOf: (name) => {
        const node = nodeCache.get(undefined, name);
        return node && (machineOfNode(node) ?? '');
      },
    });
    if (plan.do === 'reschedule') await reschedule(claim);
    else if (plan.do === 'fail') fail(claim, plan.message);
    else if (plan.do === 'provision' && !volumeCache.get(undefined, plan.volume.metadata.name ?? ''))
      await provision(claim, plan);
    return settled;
  }

  async function provision(claim: Claim, plan: Provision): Promise<void> {
    const handle = plan.volume.metadata.name ?? '';
    tell(
      claim,
      'Provisioning',
      `External provisioner is provisioning volume for claim "${objectKey(claim)}"`,
    );
    try {
      const source = plan.source && (await sourceFor(claim, plan));
      const { layout, sizeBytes } = plan;
      await volumes.create(handle, { layout, sizeBytes, ...(source && { source }) });
    } catch (error) {
      if (!(error instanceof VolumeError) && !(error instanceof StatusError)) throw error;
      fail(claim, error.message);
      throw error;
    }
    try {
      await client.for(persistentvolumes).create(plan.volume);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    tell(claim, 'ProvisioningSucceeded', `Successfully provisioned volume ${handle}`);
  }

  /** Where the data is that a claim wants to begin with. Throws `VolumeError` as long as it cannot be had. */
  async function sourceFor(claim: Claim, { source, sizeBytes }: Provision): Promise<LocalSource | undefined> {
    const { namespace = '' } = claim.metadata;
    if (source?.kind === 'volume') {
      const origin = await read(persistentvolumeclaims, { namespace, name: source.claim });
      const key = `${namespace}/${source.claim}`;
      if (!origin) throw new VolumeError(`error getting PVC ${key} from api server: not found`);
      const { volumeName = '' } = origin.spec;
      if (origin.status?.phase !== 'Bound' || !volumeName)
        throw new VolumeError(`the PVC ${key} that is to be cloned is not bound yet`);
      const volume = await read(persistentvolumes, { name: volumeName });
      if (!volume || !isLocalVolume(volume, machine))
        throw new VolumeError(`the volume of PVC ${key} is none of ${LOCAL_DRIVER} on this machine`);
      return { kind: 'volume', handle: volume.spec.csi?.volumeHandle ?? '' };
    }
    if (!source) return undefined;
    const key = `${namespace}/${source.snapshot}`;
    const snapshot = await read(volumesnapshots, { namespace, name: source.snapshot });
    if (!snapshot) throw new VolumeError(`error getting snapshot ${key} from api server: not found`);
    const contentName = snapshot.status?.boundVolumeSnapshotContentName;
    if (contentName === undefined || snapshot.status?.readyToUse !== true)
      throw new VolumeError(`snapshot ${key} is not Ready`);
    const content = await read(volumesnapshotcontents, { name: contentName });
    if (content?.spec.volumeSnapshotRef.uid !== snapshot.metadata.uid)
      throw new VolumeError(`snapshot ${key} is not bound to content ${contentName}`);
    if (content.spec.driver !== LOCAL_DRIVER)
      throw new VolumeError(
        `snapshot ${key} is one of driver ${content.spec.driver}, not of ${LOCAL_DRIVER}`,
      );
    const { restoreSize = 0, snapshotHandle = '' } = content.status ?? {};
    if (sizeBytes < restoreSize)
      throw new VolumeError(
        `requested volume size ${sizeBytes} is less than the size ${restoreSize} for the source snapshot ${key}`,
      );
    return { kind: 'snapshot', handle: snapshotHandle };
  }

  async function read<T extends KubeObject>(
    type: ResourceType<T>,
    ref: { readonly namespace?: string; readonly name: string },
  ): Promise<Live<T> | undefined> {
    return await unlessGone(client.for(type).get(ref));
  }

  async function reschedule(claim: Claim): Promise<void> {
    const { namespace = '', name, resourceVersion } = claim.metadata;
    await client
      .for(persistentvolumeclaims)
      .patch(
        { namespace, name },
        { metadata: { resourceVersion, annotations: { 'volume.kubernetes.io/selected-node': null } } },
        { type: 'application/merge-patch+json' },
      );
  }

  function fail(claim: Claim, why: string): void {
    const name = claim.spec.storageClassName ?? '';
    const message = `failed to provision volume with StorageClass "${name}": ${why}`;
    events.record(claim, 'Warning', 'ProvisioningFailed', message);
  }

  function tell(claim: Claim, reason: string, message: string): void {
    events.record(claim, 'Normal', reason, message);
  }
}
