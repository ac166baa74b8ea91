import { describe, expect, it } from 'vitest';
import { requestInfo } from './request-info.ts';

function described(line: string): string {
  const [method = '', target = ''] = line.split(' ');
  const url = new URL(target, 'https://localhost');
  const info = requestInfo(method, url.pathname, url.searchParams);
  if (!info.isResource) return `${info.verb} ${info.path}`;
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return [verb, `${group}/${version}`, resource, subresource, namespace, name]
    .map((part) => part ?? '-')
    .join(' ');
}

describe('requestInfo', () => {
  it.each([
    ['GET /api/v1/pods', 'list /v1 pods - - -'],
    ['GET /api/v1/pods?watch=true', 'watch /v1 pods - - -'],
    ['GET /api/v1/pods?watch=0', 'list /v1 pods - - -'],
    ['GET /api/v1/watch/namespaces/a/pods', 'watch /v1 pods - a -'],
    ['GET /api/v1/namespaces/a/pods/p', 'get /v1 pods - a p'],
    ['HEAD /api/v1/namespaces/a/pods/p', 'get /v1 pods - a p'],
    ['GET /api/v1/namespaces/a/pods/p/log', 'get /v1 pods log a p'],
    ['POST /api/v1/namespaces/a/pods/p/exec', 'create /v1 pods exec a p'],
    ['GET /api/v1/namespaces', 'list /v1 namespaces - - -'],
    ['GET /api/v1/namespaces/a', 'get /v1 namespaces - a a'],
    ['PUT /api/v1/namespaces/a/finalize', 'update /v1 namespaces finalize a a'],
    ['DELETE /api/v1/namespaces/a/pods', 'deletecollection /v1 pods - a -'],
    ['DELETE /api/v1/namespaces/a/pods/p', 'delete /v1 pods - a p'],
    ['PATCH /apis/apps/v1/namespaces/a/deployments/d/scale', 'patch apps/v1 deployments scale a d'],
    ['GET /api/v1/pods?fieldSelector=metadata.name=p', 'list /v1 pods - - p'],
    ['GET /api/v1/namespaces/a/configmaps/a%20b', 'get /v1 configmaps - a a b'],
    ['GET /api/v1', 'get /api/v1'],
    ['GET /apis/apps/v1', 'get /apis/apps/v1'],
    ['GET /healthz', 'get /healthz'],
    ['OPTIONS /api/v1/pods', 'options /api/v1/pods'],
    ['OPTIONS /api/v1/namespaces/a/pods/p', 'options /api/v1/namespaces/a/pods/p'],
    ['OPTIONS /api/v1/namespaces/a/pods/p/proxy/x', ' /v1 pods proxy a p'],
  ])('%s', (line, expected) => {
    expect(described(line)).toBe(expected);
  });
});
