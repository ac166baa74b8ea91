import { describe, expect, it } from 'vitest';
import { findUser } from './image-user.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:34:www-data:/var/www:/bin/false\n';
const group = 'root:x:0:\nweb:x:34:\nlogs:x:50:www-data\n';

describe('findUser', () => {
  it.each([
    ['', {}, { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
    ['www-data', {}, { uid: 33, gid: 34, additionalGids: [50], home: '/var/www' }],
    ['33', {}, { uid: 33, gid: 34, additionalGids: [50], home: '/var/www' }],
    ['www-data:logs', {}, { uid: 33, gid: 50, additionalGids: [], home: '/var/www' }],
    ['1000:2000', {}, { uid: 1000, gid: 2000, additionalGids: [], home: undefined }],
    ['www-data:logs', { runAsUser: 0 }, { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
    [
      'www-data',
      { supplementalGroupsPolicy: 'Strict' as const },
      { uid: 33, gid: 34, additionalGids: [], home: '/var/www' },
    ],
    ['www-data', { runAsGroup: 7 }, { uid: 33, gid: 7, additionalGids: [50], home: '/var/www' }],
  ])('%j with %j', (imageUser, request, expected) => {
    expect(findUser(passwd, group, { imageUser, supplementalGroups: [], ...request })).toEqual(expected);
  });

  it('refuses names that are not in the image', () => {
    const find = (imageUser: string) => () => findUser(passwd, group, { imageUser, supplementalGroups: [] });
    expect(find('nginx')).toThrow('unable to find user nginx: no matching entries in passwd file');
    expect(find('root:nginx')).toThrow('unable to find group nginx: no matching entries in group file');
  });
});
