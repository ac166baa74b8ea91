import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ResourceRequirements } from '../../api/core/v1.gen.ts';
import { isMissing } from '../missing-file.ts';
import type { Allocation } from './allocation.ts';

/** What must outlive the agent of a pod's resources. */
export interface AllocationRecord {
  readonly granted: Allocation;
  /** What each container was given last, by name. */
  readonly actual: Readonly<Record<string, ResourceRequirements>>;
  /** What the pod as a whole was given last. */
  readonly actualPod?: ResourceRequirements;
}

/** Undefined when there is none, or when a crash left half of one. */
export function readAllocation(path: string): AllocationRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as AllocationRecord;
  } catch (error) {
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the record as a whole. */
export async function writeAllocation(path: string, record: AllocationRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, JSON.stringify(record));
  await rename(`${path}.new`, path);
}
