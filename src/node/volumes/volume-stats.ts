import { statfs } from 'node:fs/promises';
import { timestamp, type Clock } from '../../base/clock.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { CsiVolumes } from '../csi/csi-volumes.ts';
import { isMissing } from '../missing-file.ts';
import { claimNameOf } from './claim-volume.ts';

/** How full a volume of a pod is, as `/stats/summary` says it (`VolumeStats` of the stats API). */
export interface VolumeStats {
  readonly name: string;
  readonly time: string;
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes?: number;
  readonly inodesFree?: number;
  readonly inodesUsed?: number;
}

type Amounts = Omit<VolumeStats, 'name' | 'time' | 'pvcRef'>;

/**
 * Measures the volumes of a pod that hold data: what the driver says where it can, else what the file system says, which for
 * volumes that are folders is the machine's.
 */
export async function measureVolumes(options: {
  readonly pod: Pod;
  readonly clock: Clock;
  readonly csi: Pick<CsiVolumes, 'stats'> | undefined;
  pathOf(volume: string): string | undefined;
}): Promise<readonly VolumeStats[]> {
  const { pod, clock, csi, pathOf } = options;
  const { namespace = '', uid = '' } = pod.metadata;
  const measured: VolumeStats[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = claimNameOf(pod, volume);
    const path = pathOf(volume.name);
    if (path === undefined || !(claim ?? volume.emptyDir ?? volume.csi)) continue;
    const amounts = (await driverAmounts(csi, uid, path)) ?? (await fileSystemAmounts(path));
    if (!amounts) continue;
    measured.push({
      name: volume.name,
      time: timestamp(clock.now()),
      ...amounts,
      ...(claim !== undefined && { pvcRef: { name: claim, namespace } }),
    });
  }
  return measured;
}

const BYTES = 1;
const INODES = 2;

async function driverAmounts(
  csi: Pick<CsiVolumes, 'stats'> | undefined,
  uid: string,
  path: string,
): Promise<Amounts | undefined> {
  const name = /\/kubernetes\.io~csi\/([^/]+)\/mount$/.exec(path)?.[1];
  const usage = name === undefined ? undefined : await csi?.stats(uid, name);
  const bytes = usage?.find(({ unit }) => unit === BYTES);
  const inodes = usage?.find(({ unit }) => unit === INODES);
  return (
    bytes && {
      capacityBytes: bytes.total,
      availableBytes: bytes.available,
      usedBytes: bytes.used,
      ...(inodes && { inodes: inodes.total, inodesFree: inodes.available, inodesUsed: inodes.used }),
    }
  );
}

async function fileSystemAmounts(path: string): Promise<Amounts | undefined> {
  try {
    const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
    return {
      capacityBytes: blocks * bsize,
      availableBytes: bavail * bsize,
      usedBytes: (blocks - bfree) * bsize,
      inodes: files,
      inodesFree: ffree,
      inodesUsed: files - ffree,
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
