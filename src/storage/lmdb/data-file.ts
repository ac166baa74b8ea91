import { open, type FileHandle } from 'node:fs/promises';
import { StoreError } from '../kv.ts';

export async function assertWholeDataFile(_file: string): Promise<void> {}
