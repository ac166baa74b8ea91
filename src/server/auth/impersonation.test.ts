import { describe, expect, it } from 'vitest';
import type { UserInfo } from '../../api/resource.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import { createImpersonation } from './impersonation.ts';

const requester: UserInfo = { name: 'sam', groups: ['system:authenticated'] };
const agent: UserInfo = {
  name: 'system:serviceaccount:kube-system:agent',
  groups: [],
  extra: { 'authentication.kubernetes.io/node-name': ['node-1'] },
};
const listPods: Attributes = { verb: 'list', group: '', resource: 'pods', namespace: 'default' };

/** Allows exactly what is listed: `verb resource name`. */
function allowing(...allowed: string[]): Authorizer {
  return {
    authorize: (_user, attributes) => {
      const what =
        'path' in attributes
          ? `${attributes.verb} ${attributes.path}`
          : `${attributes.verb} ${attributes.resource}${attributes.subresource ? `/${attributes.subresource}` : ''} ${attributes.name ?? ''}`.trimEnd();
      return { allowed: allowed.includes(what), reason: '' };
    },
  };
}

function attempt(authorizer: Authorizer, user: UserInfo, headers: Record<string, string>): unknown {
  try {
    return createImpersonation(authorizer)(user, headers, listPods);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.status.message;
  }
}

describe('impersonation', () => {
  const rows: readonly [string, string[], UserInfo, Record<string, string>, unknown][] = [
    ['no header, nobody else', [], requester, {}, undefined],
    [
      'the verb impersonate is enough',
      ['impersonate users alice'],
      requester,
      { 'impersonate-user': 'alice' },
      { user: { name: 'alice', groups: ['system:authenticated'] }, constraint: '' },
    ],
    [
      'a constrained mode needs both rights',
      ['impersonate:user-info users alice', 'impersonate-on:user-info:list pods'],
      requester,
      { 'impersonate-user': 'alice' },
      { user: { name: 'alice', groups: ['system:authenticated'] }, constraint: 'impersonate:user-info' },
    ],
    [
      'the first mode that applies gives the reason',
      ['impersonate:user-info users alice'],
      requester,
      { 'impersonate-user': 'alice' },
      'pods is forbidden: User "sam" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'an agent becomes the node that it runs on',
      ['impersonate:associated-node nodes *', 'impersonate-on:associated-node:list pods'],
      agent,
      { 'impersonate-user': 'system:node:node-1' },
      {
        user: { name: 'system:node:node-1', groups: ['system:nodes', 'system:authenticated'] },
        constraint: 'impersonate:associated-node',
      },
    ],
    [
      'but no other node',
      ['impersonate:associated-node nodes *', 'impersonate-on:associated-node:list pods'],
      agent,
      { 'impersonate-user': 'system:node:node-2' },
      'pods is forbidden: User "system:serviceaccount:kube-system:agent" cannot impersonate-on:arbitrary-node:list resource "pods" in API group "" in the namespace "default"',
    ],
    [
      'groups without a user',
      [],
      requester,
      { 'impersonate-group': 'x' },
      'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"x"}, Extra:map[string][]string(nil)} without impersonating a user name',
    ],
  ];
  it.each(rows)('%s', (...[, allowed, user, headers, expected]) => {
    expect(attempt(allowing(...allowed), user, headers)).toEqual(expected);
  });

  it('tries the mode first that worked last', () => {
    const impersonate = createImpersonation(allowing('impersonate users alice'));
    impersonate(requester, { 'impersonate-user': 'alice' }, listPods);
    expect(() => impersonate(requester, { 'impersonate-user': 'bob' }, listPods)).toThrow(
      'users "bob" is forbidden: User "sam" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
  });
});
