import type { Pod, Volume } from '../../../api/core/v1.gen.ts';

/** Whether two volumes are one disk that cannot be used twice on a node. */
export function isSameDisk(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    return (
      a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName &&
      !(a.gcePersistentDisk.readOnly && b.gcePersistentDisk.readOnly)
    );
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) {
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  }
  if (a.iscsi && b.iscsi) {
    return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly);
  }
  if (a.rbd && b.rbd) {
    const monitors = b.rbd.monitors ?? [];
    return (
      (a.rbd.monitors ?? []).some((monitor) => monitors.includes(monitor)) &&
      (a.rbd.pool ?? '') === (b.rbd.pool ?? '') &&
      a.rbd.image === b.rbd.image &&
      !(a.rbd.readOnly && b.rbd.readOnly)
    );
  }
  return false;
}

/** A pod's volumes that could be in somebody's way. */
export function exclusiveDisks({ spec }: Pod): readonly Volume[] {
  return (spec.volumes ?? []).filter(
    ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }) =>
      gcePersistentDisk ?? awsElasticBlockStore ?? iscsi ?? rbd,
  );
}
