import type { UserInfo } from '../api/resource.ts';
import { newForbidden } from '../machinery/status/errors.ts';
import type { StatusError } from '../machinery/status-error.ts';
import type { Attributes, Authorizer } from './auth/authorizer.ts';

/** Throws 403 in upstream's words unless the user may do it. */
export function authorizeRequest(authorizer: Authorizer, user: UserInfo, attributes: Attributes): void {
  const decision = authorizer.authorize(user, attributes);
  if (!decision.allowed) throw notAllowed(user, attributes, decision.reason);
}

/** 403 in upstream's words. */
export function notAllowed(user: UserInfo, attributes: Attributes, reason: string): StatusError {
  const who = JSON.stringify(user.name);
  const why = reason === '' ? '' : `: ${reason}`;
  if ('path' in attributes) {
    return newForbidden(
      { group: '', resource: '' },
      '',
      `User ${who} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}${why}`,
    );
  }
  const { verb, group, resource, subresource, namespace, name } = attributes;
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource);
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  return newForbidden(
    { group, resource },
    name ?? '',
    `User ${who} cannot ${verb} resource ${what} in API group ${JSON.stringify(group)} ${where}${why}`,
  );
}
