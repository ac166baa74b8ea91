import type { UserInfo } from '../../api/resource.ts';
import { newForbidden } from '../../machinery/status/errors.ts';
import { authorizeRequest } from '../authorize-request.ts';
import type { Authorizer } from './authorizer.ts';

/** The modes of KEP-5284; the empty one is the plain verb `impersonate`. */
export type Mode = 'associated-node' | 'arbitrary-node' | 'serviceaccount' | 'user-info' | '';

const authenticationGroup = 'authentication.k8s.io';
/** From so many values on, one question about all of them comes first. */
const manyValues = 4;

interface Fields {
  readonly requester: UserInfo;
  readonly wanted: UserInfo;
}

interface Question {
  readonly group: string;
  readonly resource: string;
  readonly name: string;
  readonly namespace?: string;
  readonly subresource?: string;
}

/** The user with the groups that follow from the name, once the requester may impersonate every field of it. Throws 403. */
export function checkFields(authorizer: Authorizer, mode: Mode, { requester, wanted }: Fields): UserInfo {
  const constrained = mode !== '';
  const verb = constrained ? `impersonate:${mode}` : 'impersonate';
  const group = constrained ? authenticationGroup : '';
  const check = (question: Question): void => authorizeRequest(authorizer, requester, { verb, ...question });
  const may = (question: Question): boolean => authorizer.authorize(requester, { verb, ...question }).allowed;
  const refuse = (question: Question, detail: string): never => {
    const what = question.namespace ? { namespace: question.namespace } : {};
    throw newForbidden(
      { group: question.group, resource: question.resource },
      question.name,
      described(requester.name, { ...question, ...what, verb }, detail),
    );
  };

  check(nameQuestion(wanted.name, { group, constrained, mode }));
  if (wanted.uid !== undefined) check({ group: authenticationGroup, resource: 'uids', name: wanted.uid });
  checkGroups();
  checkExtra();
  return withStandingGroups(wanted, constrained);

  function checkGroups(): void {
    if (wanted.groups.length === 0) return;
    const question = { group, resource: 'groups' };
    if (constrained && wanted.groups.includes(''))
      refuse({ ...question, name: '' }, 'impersonating the empty string group is not allowed');
    if (constrained && wanted.groups.includes('system:masters'))
      refuse(
        { ...question, name: 'system:masters' },
        'impersonating the system:masters group is not allowed',
      );
    if (constrained && wanted.groups.length >= manyValues && may({ ...question, name: '*' })) return;
    for (const name of wanted.groups) check({ ...question, name });
  }

  function checkExtra(): void {
    const entries = Object.entries(wanted.extra ?? {});
    const question = { group: authenticationGroup, resource: 'userextras' };
    if (constrained) {
      const wrong = entries
        .map(([key, values]) => extraFault(key, values))
        .find((fault) => fault !== undefined);
      if (wrong !== undefined) refuse({ ...question, name: '' }, wrong);
    }
    const values = entries.flatMap(([subresource, names]) => names.map((name) => ({ subresource, name })));
    const many = entries.length >= manyValues || values.length >= manyValues;
    if (constrained && many && may({ ...question, subresource: '*', name: '*' })) return;
    for (const value of values) check({ ...question, ...value });
  }
}

function nameQuestion(
  name: string,
  {
    group,
    constrained,
    mode,
  }: { readonly group: string; readonly constrained: boolean; readonly mode: Mode },
): Question {
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  if (account)
    return { group, resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' };
  const node = constrained ? /^system:node:(.+)$/.exec(name)?.[1] : undefined;
  if (node === undefined) return { group, resource: 'users', name };
  return { group, resource: 'nodes', name: mode === 'associated-node' ? '*' : node };
}

function extraFault(key: string, values: readonly string[]): string | undefined {
  if (key === '') return 'impersonating the empty string key in extra is not allowed';
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/.+$/.test(key))
    return `impersonating an invalid key in extra is not allowed: extra.key: Invalid value: ${JSON.stringify(key)}: must be a domain-prefixed path (such as "acme.io/foo")`;
  if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  return undefined;
}

function withStandingGroups(wanted: UserInfo, constrained: boolean): UserInfo {
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(wanted.name);
  let { groups } = wanted;
  if (constrained && wanted.name.startsWith('system:node:')) groups = ['system:nodes'];
  if (account && groups.length === 0)
    groups = ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`];
  const isAnonymous = wanted.name === 'system:anonymous';
  const standing = isAnonymous ? 'system:unauthenticated' : 'system:authenticated';
  const keeps = groups.includes(standing) || (!isAnonymous && groups.includes('system:unauthenticated'));
  return { ...wanted, groups: keeps ? groups : [...groups, standing] };
}

function described(
  user: string,
  { verb, group, resource, subresource, namespace }: Question & { readonly verb: string },
  detail: string,
): string {
  const what = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  return `User ${JSON.stringify(user)} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}: ${detail}`;
}
