import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeState } from '../state-file.ts';
import type { Ownership } from './cri-config.ts';

/** What has to be known of a node's runtime to clean up behind it; a file in the node's folder. */
export interface CriRecord {
  readonly endpoint: string;
  readonly owner: Ownership;
  readonly cgroupRoot: string;
}

/** Name of the file that holds a {@link CriRecord}. */
export const criRecordFile: string = 'cri.json';

/** Writes it; to be done before anything is left with the runtime. */
export async function writeCriRecord(directory: string, record: CriRecord): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeState(join(directory, criRecordFile), record);
}
