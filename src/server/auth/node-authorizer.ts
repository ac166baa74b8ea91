import type { UserInfo } from '../../api/resource.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { ruleAllows, type PolicySource } from './rbac-authorizer.ts';

const nodeRole = 'system:node';

/** Whether the user is a node: `system:node:NAME` of group `system:nodes`. */
export function nodeName(user: UserInfo): string | undefined {
  const prefix = 'system:node:';
  return user.groups.includes('system:nodes') && user.name.startsWith(prefix)
    ? user.name.slice(prefix.length)
    : undefined;
}

/**
 * Lets nodes do what the cluster role `system:node` lists, which nothing binds. Unlike upstream's it does not follow which pods
 * run on which node; everyone else is the next authorizer's.
 */
export function createNodeAuthorizer(policy: PolicySource, next: Authorizer): Authorizer {
  return {
    authorize(user: UserInfo, attributes: Attributes): Decision {
      if (nodeName(user) !== undefined) {
        const rules = policy.clusterRole(nodeRole)?.rules ?? [];
        if (rules.some((rule) => ruleAllows(rule, attributes)))
          return { allowed: true, reason: '', by: 'node' };
      }
      return next.authorize(user, attributes);
    },
  };
}
