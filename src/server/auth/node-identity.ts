import type { UserInfo } from '../../api/resource.ts';

/** The node that a user is: `system:node:NAME` of group `system:nodes`; undefined for everybody else. */
export function nodeName(user: UserInfo): string | undefined {
  const prefix = 'system:node:';
  return user.groups.includes('system:nodes') && user.name.startsWith(prefix)
    ? user.name.slice(prefix.length)
    : undefined;
}
