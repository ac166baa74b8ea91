import { lstat, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../../container-runtime.ts';
import { isMissing } from '../state-file.ts';

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** Home folder of the user in the image's /etc/passwd. */
  readonly home: string | undefined;
}

export interface UserRequest {
  /** The image's `User`: `name`, `uid`, `name:group`, `uid:gid` or nothing. */
  readonly imageUser: string;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  /** Which groups the image's files give the user does not count. */
  readonly supplementalGroupsPolicy?: 'Strict';
}

/** Resolves names in the image's /etc/passwd and /etc/group; throws `RuntimeError` for a name that is not there. */
export async function resolveUser(layers: readonly string[], request: UserRequest): Promise<ContainerUser> {
  const [passwd, group] = await Promise.all([
    readFromLayers(layers, 'etc/passwd'),
    readFromLayers(layers, 'etc/group'),
  ]);
  return findUser(passwd, group, request);
}

/** Same, on the texts of the two files. */
export function findUser(passwd: string, group: string, request: UserRequest): ContainerUser {
  const [imageName = '', imageGroup = ''] = request.imageUser.split(':');
  const wanted = request.runAsUser === undefined ? imageName || '0' : String(request.runAsUser);
  const users = rows(passwd);
  const groups = rows(group);
  const user = users.find((row) => row[0] === wanted) ?? users.find((row) => row[2] === wanted);
  const uid = Number(user?.[2] ?? wanted);
  if (!Number.isInteger(uid)) {
    throw new RuntimeError(
      'START_FAILED',
      `unable to find user ${wanted}: no matching entries in passwd file`,
    );
  }
  const wantedGroup =
    request.runAsGroup ?? (request.runAsUser === undefined && imageGroup ? imageGroup : undefined);
  const gid = wantedGroup === undefined ? Number(user?.[3] ?? 0) : groupId(groups, String(wantedGroup));
  const strict = request.supplementalGroupsPolicy === 'Strict';
  const member =
    user && !strict
      ? groups.filter((row) => row[3]?.split(',').includes(user[0] ?? '')).map((row) => Number(row[2]))
      : [];
  return {
    uid,
    gid,
    additionalGids: [...new Set([...member, ...request.supplementalGroups])].filter((id) => id !== gid),
    home: user?.[5],
  };
}

function groupId(groups: readonly (readonly string[])[], wanted: string): number {
  const row = groups.find((row) => row[0] === wanted) ?? groups.find((row) => row[2] === wanted);
  const gid = Number(row?.[2] ?? wanted);
  if (Number.isInteger(gid)) return gid;
  throw new RuntimeError('START_FAILED', `unable to find group ${wanted}: no matching entries in group file`);
}

function rows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.includes(':'))
    .map((line) => line.trim().split(':'));
}

/** A small file as the stack of layers shows it; the empty string when it is absent. Links are followed within the image. */
async function readFromLayers(layers: readonly string[], path: string, depth = 0): Promise<string> {
  for (const layer of layers.toReversed()) {
    const file = join(layer, path);
    try {
      const found = await lstat(file);
      if (found.isCharacterDevice()) return '';
      if (found.isFile()) return await readFile(file, 'utf8');
      if (found.isSymbolicLink() && depth < 4) {
        const target = await readlink(file);
        return await readFromLayers(
          layers,
          target.startsWith('/') ? join('/', target) : join('/etc', target),
          depth + 1,
        );
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return '';
}
