import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/core/v1.gen.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { isMissing } from '../missing-file.ts';

const BLOCK_BYTES = 512;

/** The kubelet's complaint about the first emptyDir of a pod that is larger than its limit; memory limits itself. */
export async function emptyDirOverLimit(
  pod: Pod,
  pathOf: (volume: string) => string | undefined,
): Promise<string | undefined> {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const path = pathOf(name);
    if (emptyDir?.sizeLimit === undefined || emptyDir.medium === 'Memory' || path === undefined) continue;
    const used = await usedBytes(path);
    if (used <= Number(quantityValue(parseQuantity(emptyDir.sizeLimit)))) continue;
    return `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir.sizeLimit}". `;
  }
  return undefined;
}

/** Bytes on disk below a folder; files that vanish meanwhile do not count. */
async function usedBytes(root: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    try {
      const { blocks } = await lstat(join(entry.parentPath, entry.name));
      total += blocks * BLOCK_BYTES;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return total;
}
