import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { Transport } from '../../machinery/transport.ts';
import { storedType } from '../resource.ts';
import { accessReviews } from './access-reviews.ts';
import type { AccessRequest } from './authorizer.ts';

const server: Transport = {
  request: async () => undefined,
  async *watch() {},
  raw: async () => undefined,
  close: async () => {},
};

async function ask(
  kind: string,
  spec: object,
  namespace?: string,
): Promise<{ answer: unknown; asked: AccessRequest[] }> {
  const asked: AccessRequest[] = [];
  const definition = accessReviews({
    authorize: async (request) => {
      asked.push(request);
      return { allowed: true, reason: 'because' };
    },
    rulesFor: async () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
  }).find((candidate) => storedType(candidate).kind === kind);
  const object: KubeObject & { spec: object } = {
    apiVersion: 'authorization.k8s.io/v1',
    kind,
    metadata: namespace === undefined ? {} : { namespace },
    spec,
  };
  const answer = await definition?.review?.(mutableCopy<KubeObject>(object), {
    user: { name: 'me', groups: ['g'] },
    now: 0,
    dryRun: false,
    server,
  });
  return { answer, asked };
}

const listPods = { verb: 'list', resource: 'pods', namespace: 'n' };

describe('access reviews', () => {
  it('ask for a user', async () => {
    const { answer, asked } = await ask('SubjectAccessReview', {
      user: 'jane',
      groups: ['devs'],
      extra: { scopes: ['x'] },
      resourceAttributes: listPods,
    });
    expect(answer).toMatchObject({ status: { allowed: true, reason: 'because' } });
    expect(asked).toEqual([
      {
        user: { name: 'jane', groups: ['devs'], extra: { scopes: ['x'] } },
        verb: 'list',
        resource: { group: '', version: '*', resource: 'pods', subresource: '', namespace: 'n', name: '' },
      },
    ]);
  });

  it('ask for oneself, also about paths', async () => {
    const { asked } = await ask('SelfSubjectAccessReview', {
      nonResourceAttributes: { path: '/x', verb: 'get' },
    });
    expect(asked).toEqual([{ user: { name: 'me', groups: ['g'] }, verb: 'get', path: '/x' }]);
  });

  it.each<[string, object, string]>([
    [
      'SubjectAccessReview',
      {},
      '.authorization.k8s.io "" is invalid: [spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified, spec.user: Invalid value: "": at least one of user or group must be specified]',
    ],
    [
      'SelfSubjectAccessReview',
      { resourceAttributes: {}, nonResourceAttributes: { path: '/', verb: 'get' } },
      '.authorization.k8s.io "" is invalid: spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes',
    ],
    [
      'LocalSubjectAccessReview',
      { user: 'x', resourceAttributes: { namespace: 'other' } },
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    ],
    ['SelfSubjectRulesReview', {}, 'no namespace on request'],
  ])('%s of %j is refused', async (kind, spec, message) => {
    const error: unknown = await ask(kind, spec, 'n').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StatusError);
    expect(error).toMatchObject({ message });
  });
});
