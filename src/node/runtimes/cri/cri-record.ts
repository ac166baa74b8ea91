import type { Ownership } from './cri-config.ts';

/** What has to be known of a node's runtime to clean up behind it; a file in the node's folder. */
export interface CriRecord {
  readonly endpoint: string;
  readonly owner: Ownership;
  readonly cgroupRoot: string;
}

/** Name of the file that holds a {@link CriRecord}. */
export const criRecordFile: string = 'cri.json';
