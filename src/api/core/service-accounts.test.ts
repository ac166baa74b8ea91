import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { newNotFound } from '../../machinery/status/errors.ts';
import { StatusError } from '../../machinery/status-error.ts';
import type { ApiRequest, Transport } from '../../machinery/transport.ts';
import type { StrategyContext } from '../resource.ts';
import { serviceAccounts, type TokenSpec } from './service-accounts.ts';
import type { ServiceAccount } from './v1.gen.ts';

const account: Live<ServiceAccount> = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'robot', namespace: 'n', uid: 'u1', resourceVersion: '1', creationTimestamp: '' },
};

const objects: Readonly<Record<string, object>> = {
  'pods/n/p': {
    metadata: { name: 'p', uid: 'pod-uid' },
    spec: { serviceAccountName: 'robot', nodeName: 'n1' },
  },
  'pods/n/other': { metadata: { name: 'other', uid: 'x' }, spec: { serviceAccountName: 'default' } },
  'nodes//n1': { metadata: { name: 'n1', uid: 'node-uid' } },
};

const server: Transport = {
  async request({ resource, namespace = '', name = '' }: ApiRequest) {
    const found = objects[`${resource}/${namespace}/${name}`];
    if (!found) throw newNotFound({ group: '', resource }, name);
    return found;
  },
  async *watch() {},
  raw: async () => undefined,
  close: async () => {},
};

const context: StrategyContext = {
  user: { name: 'admin', groups: [] },
  now: Date.parse('2026-01-01T00:00:00Z'),
  dryRun: false,
  server,
};

async function request(
  spec: object,
  metadata: object = {},
): Promise<{ answer: unknown; issued: TokenSpec[] }> {
  const issued: TokenSpec[] = [];
  const definition = serviceAccounts({
    apiAudiences: ['api'],
    issueToken: async (token) => {
      issued.push(token);
      return 'jwt';
    },
  });
  const body: KubeObject & { spec: object } = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata,
    spec,
  };
  const answer = await definition.subresources?.['token']?.create?.(
    account,
    mutableCopy<KubeObject>(body),
    context,
  );
  return { answer, issued };
}

describe('the token of a service account', () => {
  it('is issued for an hour and for the API when nothing else is asked for', async () => {
    expect(await request({})).toEqual({
      answer: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { name: 'robot', namespace: 'n', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' },
        spec: { audiences: ['api'], expirationSeconds: 3600 },
        status: { token: 'jwt', expirationTimestamp: '2026-01-01T01:00:00Z' },
      },
      issued: [
        {
          serviceAccount: { namespace: 'n', name: 'robot', uid: 'u1' },
          audiences: ['api'],
          expirationSeconds: 3600,
          now: context.now,
        },
      ],
    });
  });

  it('is bound to a pod and its node', async () => {
    const { issued } = await request({
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
      audiences: ['a'],
    });
    expect(issued[0]).toMatchObject({
      audiences: ['a'],
      boundObject: { kind: 'Pod', name: 'p', uid: 'pod-uid' },
      node: { name: 'n1' },
    });
  });

  it.each<[object, object, string]>([
    [
      { expirationSeconds: 599 },
      {},
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
    ],
    [
      { expirationSeconds: 4_294_967_297 },
      {},
      'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ],
    [
      {},
      { name: 'other' },
      'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
    ],
    [
      {},
      { uid: 'u2' },
      'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "robot": the UID in the token request (u2) does not match the UID of the service account (u1)',
    ],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' } },
      {},
      'cannot bind token to object of type /v1, Kind=ConfigMap',
    ],
    [{ boundObjectRef: {} }, {}, 'cannot bind token to object of type /, Kind='],
    [{ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'none' } }, {}, 'pods "none" not found'],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'z' } },
      {},
      'Operation cannot be fulfilled on Pod "p": the UID in the bound object reference (z) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'other' } },
      {},
      'cannot bind token for serviceaccount "robot" to pod running with different serviceaccount name.',
    ],
  ])('%j %j is refused', async (spec, metadata, message) => {
    const error: unknown = await request(spec, metadata).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StatusError);
    expect(error).toMatchObject({ message });
  });
});
