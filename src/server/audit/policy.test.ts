import { describe, expect, it } from 'vitest';
import { requestInfo } from '../http/request-info.ts';
import { AuditPolicyError, parseAuditPolicy } from './parse-policy.ts';
import { auditDecision } from './policy.ts';

const policy = parseAuditPolicy(`
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [noisy]
  verbs: [watch]
- level: Metadata
  resources:
  - group: ""
    resources: [secrets, pods/log, "*/status"]
- level: Request
  namespaces: [kept]
  omitManagedFields: true
- level: RequestResponse
  userGroups: [auditors]
  resources:
  - group: apps
    resources: [deployments]
    resourceNames: [web]
- level: None
  nonResourceURLs: [/healthz*]
- level: Metadata
  nonResourceURLs: ["*"]
  omitStages: [ResponseStarted]
`);

function levelOf(user: string, groups: readonly string[], request: string): string {
  const [method = '', url = ''] = request.split(' ');
  const [path = '', query = ''] = url.split('?');
  return auditDecision(policy, { name: user, groups }, requestInfo(method, path, new URLSearchParams(query)))
    .level;
}

describe('an audit policy', () => {
  const rows: readonly [string, string, string][] = [
    ['noisy', 'GET /api/v1/pods?watch=1', 'None'],
    ['someone', 'GET /api/v1/namespaces/a/secrets/b', 'Metadata'],
    ['someone', 'GET /api/v1/namespaces/a/pods/b', 'None'],
    ['someone', 'GET /api/v1/namespaces/a/pods/b/log', 'Metadata'],
    ['someone', 'PUT /api/v1/namespaces/a/services/b/status', 'Metadata'],
    ['someone', 'GET /api/v1/namespaces/kept/pods/b', 'Request'],
    ['someone', 'PUT /apis/apps/v1/namespaces/a/deployments/web', 'RequestResponse'],
    ['someone', 'PUT /apis/apps/v1/namespaces/a/deployments/other', 'None'],
    ['someone', 'GET /healthz/ping', 'None'],
    ['someone', 'GET /version', 'Metadata'],
  ];
  it.each(rows)('of %s: %s is %s', (user, request, level) => {
    expect(levelOf(user, ['auditors'], request)).toBe(level);
  });

  it('unites the stages that it and the rule leave out', () => {
    const info = requestInfo('GET', '/version', new URLSearchParams());
    const { omitStages } = auditDecision(policy, { name: 'x', groups: [] }, info);
    expect([...omitStages]).toEqual(['RequestReceived', 'ResponseStarted']);
  });

  it('that is wrong is refused with everything that is wrong', () => {
    const wrong = `{apiVersion: audit.k8s.io/v1, kind: Policy, omitStages: [Never], rules: [{level: Loud}, {level: None, nonResourceURLs: [x], namespaces: [kept]}]}`;
    expect(() => parseAuditPolicy(wrong)).toThrow(
      new AuditPolicyError(
        [
          'rules[0].level: must be one of None, Metadata, Request, RequestResponse',
          'rules[1].nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs',
          'rules[1].nonResourceURLs: "x" must begin with a / and may have a * only at its end',
          'omitStages: must be a list of RequestReceived, ResponseStarted, ResponseComplete, Panic',
        ].join('\n'),
      ),
    );
  });
});
