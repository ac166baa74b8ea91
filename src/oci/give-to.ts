import { lchown } from 'node:fs/promises';

/** Changes the owner of a file; one that does not exist in this user namespace leaves it with whom it is. */
export async function giveTo(path: string, uid: number, gid: number): Promise<void> {
  await lchown(path, uid, gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EINVAL') throw error;
  });
}
