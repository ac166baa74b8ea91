import {
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolumeClaim,
} from '../../api/core/v1.gen.ts';
import {
  volumesnapshotclasses,
  volumesnapshotcontents,
  volumesnapshots,
  type VolumeSnapshot,
  type VolumeSnapshotContent,
} from '../../api/snapshot/v1.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { contentNameOf, marks, planSnapshot, type SnapshotPlan } from './plan-snapshot.ts';

/**
 * Gives snapshots their contents and reports what drivers make of them (external-snapshotter's snapshot controller). To be
 * started where the snapshot API is served.
 */
export const volumeSnapshotController: Controller = {
  name: 'volumesnapshot-controller',
  aliases: [],
  start,
};

type Snapshot = Live<VolumeSnapshot>;
type Content = Live<VolumeSnapshotContent>;

const RETRY_MS = 5000;

function start(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const events = context.events.as('snapshot-controller');
  const snapshotCache = informers.for(volumesnapshots);
  const contentCache = informers.for(volumesnapshotcontents);
  const classCache = informers.for(volumesnapshotclasses);
  const claimCache = informers.for(persistentvolumeclaims);
  const volumeCache = informers.for(persistentvolumes);
  const snapshots = client.for(volumesnapshots);
  const contents = client.for(volumesnapshotcontents);
  // Snapshots are namespaced and contents are not, so that their keys differ.
  const reconciler = startReconciler(context, {
    name: volumeSnapshotController.name,
    caches: [snapshotCache, contentCache, classCache, claimCache, volumeCache],
    reconcile: (key) => (key.includes('/') ? reconcileSnapshot(key) : reconcileContent(key)),
  });
  const wake = (snapshot: Snapshot): void => reconciler.add(objectKey(snapshot));
  const wakeContent = (content: Content): void => {
    const { namespace = '', name = '' } = content.spec.volumeSnapshotRef;
    reconciler.add(`${namespace}/${name}`);
    reconciler.add(content.metadata.name);
  };
  snapshotCache.addHandler({
    onAdd: wake,
    onUpdate: wake,
    onDelete(snapshot) {
      const name = snapshot.status?.boundVolumeSnapshotContentName;
      if (name !== undefined) reconciler.add(name);
    },
  });
  contentCache.addHandler({ onAdd: wakeContent, onUpdate: wakeContent, onDelete: wakeContent });
  classCache.addHandler({ onAdd: () => snapshotCache.list().forEach(wake) });
  const wakeWaiting = ({ metadata, spec }: Live<PersistentVolumeClaim>): void => {
    for (const snapshot of snapshotCache.list(metadata.namespace)) {
      const { persistentVolumeClaimName } = snapshot.spec.source;
      const concerned =
        persistentVolumeClaimName === metadata.name ||
        (spec.dataSourceRef ?? spec.dataSource)?.name === snapshot.metadata.name;
      if (concerned) wake(snapshot);
    }
  };
  claimCache.addHandler({ onAdd: wakeWaiting, onUpdate: wakeWaiting, onDelete: wakeWaiting });
  return reconciler;

  async function reconcileSnapshot(key: string): Promise<Outcome> {
    const snapshot = byKey(snapshotCache, key);
    if (!snapshot) return settled;
    const { namespace, name } = snapshot.metadata;
    const claim = claimCache.get(namespace, snapshot.spec.source.persistentVolumeClaimName ?? '');
    const plan = planSnapshot({
      snapshot,
      content: contentFor(snapshot),
      claim,
      volume: volumeCache.get(undefined, claim?.spec.volumeName ?? ''),
      classes: classCache.list(),
      isSource: claimCache.list(namespace).some((one) => isBeingRestored(one, name)),
      now: timestamp(clock.now()),
    });
    await act(snapshot, plan);
    const failed = plan.do === 'status' ? plan.status.error : snapshot.status?.error;
    return failed && snapshot.status?.readyToUse !== true ? recheck(RETRY_MS) : settled;
  }

  function contentFor(snapshot: Snapshot): Content | undefined {
    const { source } = snapshot.spec;
    return contentCache.get(undefined, source.volumeSnapshotContentName ?? contentNameOf(snapshot));
  }

  async function act(snapshot: Snapshot, plan: SnapshotPlan): Promise<void> {
    switch (plan.do) {
      case 'nothing':
        return;
      case 'finalizers':
        await patchSnapshot(snapshot, { metadata: { finalizers: plan.finalizers } });
        return;
      case 'class':
        await patchSnapshot(snapshot, { spec: { volumeSnapshotClassName: plan.name } });
        return;
      case 'create-content':
        await createContent(snapshot, plan.content);
        return;
      case 'bind-content':
        await patchContent(plan.content, {
          spec: { volumeSnapshotRef: { uid: plan.uid } },
          metadata: { finalizers: protectedBy(plan.content) },
        });
        return;
      case 'mark-content': {
        const deleted = snapshot.metadata.deletionTimestamp !== undefined;
        await patchContent(plan.content, {
          metadata: {
            finalizers: protectedBy(plan.content),
            ...(deleted && { annotations: { [marks.beingDeleted]: 'yes' } }),
          },
        });
        return;
      }
      case 'delete-content':
        await contents.delete({ name: plan.content.metadata.name });
        return;
      case 'status':
        await snapshots.updateStatus({ ...snapshot, status: plan.status });
        if (plan.event) events.record(snapshot, plan.event.type, plan.event.reason, plan.event.message);
    }
  }

  async function createContent(snapshot: Snapshot, content: VolumeSnapshotContent): Promise<void> {
    const key = objectKey(snapshot);
    try {
      await contents.create(content);
    } catch (error) {
      if (isStatus(error, 'AlreadyExists')) return;
      throw error;
    }
    const message = `Waiting for a snapshot ${key} to be created by the CSI driver.`;
    events.record(snapshot, 'Normal', 'CreatingSnapshot', message);
  }

  /** A content whose snapshot is gone goes with it, if its policy says so. */
  async function reconcileContent(name: string): Promise<Outcome> {
    const content = contentCache.get(undefined, name);
    const { uid, namespace, name: snapshotName = '' } = content?.spec.volumeSnapshotRef ?? {};
    if (!content || !uid || content.spec.deletionPolicy !== 'Delete') return settled;
    if (snapshotCache.get(namespace, snapshotName)?.metadata.uid === uid) return settled;
    if (content.metadata.annotations?.[marks.beingDeleted] !== 'yes')
      await patchContent(content, { metadata: { annotations: { [marks.beingDeleted]: 'yes' } } });
    else if (content.metadata.deletionTimestamp === undefined) await contents.delete({ name });
    return settled;
  }

  async function patchSnapshot(
    { metadata }: Snapshot,
    change: { readonly metadata?: object; readonly spec?: object },
  ): Promise<void> {
    const { namespace = '', name, resourceVersion } = metadata;
    const patch = { ...change, metadata: { resourceVersion, ...change.metadata } };
    await snapshots.patch({ namespace, name }, patch, { type: 'application/merge-patch+json' });
  }

  async function patchContent(
    { metadata }: Content,
    change: { readonly metadata: object; readonly spec?: object },
  ): Promise<void> {
    const { name, resourceVersion } = metadata;
    const patch = { ...change, metadata: { resourceVersion, ...change.metadata } };
    await contents.patch({ name }, patch, { type: 'application/merge-patch+json' });
  }
}

function protectedBy({ metadata: { finalizers = [] } }: Content): readonly string[] {
  return finalizers.includes(marks.contentBound) ? finalizers : [...finalizers, marks.contentBound];
}

/** Whether a claim waits for a volume that is made of a snapshot. */
function isBeingRestored({ spec, status }: Live<PersistentVolumeClaim>, snapshot: string): boolean {
  const source = spec.dataSourceRef ?? spec.dataSource;
  return status?.phase !== 'Bound' && source?.kind === 'VolumeSnapshot' && source.name === snapshot;
}
