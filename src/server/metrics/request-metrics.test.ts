import { expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { MetricRegistry } from '../../base/metrics/registry.ts';
import { requestInfo } from '../http/request-info.ts';
import { observeAll, type RequestRecord } from '../http/request-record.ts';
import { requestMetrics } from './request-metrics.ts';

function record(request: string, more: Partial<RequestRecord> = {}): RequestRecord {
  const [method = '', url = ''] = request.split(' ');
  const [path = '', query = ''] = url.split('?');
  return {
    auditId: 'a',
    receivedAt: 0,
    startedAt: 0,
    uri: () => url,
    userAgent: '',
    sourceIps: [],
    annotations: new Map(),
    info: requestInfo(method, path, new URLSearchParams(query)),
    requester: { name: 'jo', groups: [] },
    namespaced: true,
    ...more,
  };
}

function told(requests: readonly RequestRecord[], name: string): string[] {
  const registry = new MetricRegistry();
  const observer = observeAll([requestMetrics(registry, new FakeClock(0))]);
  for (const request of requests) {
    observer.received(request);
    if (request.isLongRunning) observer.started(request);
    else observer.completed(request);
    observer.completed(request);
  }
  return registry
    .text()
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`));
}

it.each<[string, Partial<RequestRecord>, string]>([
  [
    'GET /api/v1/namespaces/a/pods',
    {},
    'verb="LIST",group="",version="v1",resource="pods",subresource="",scope="namespace"',
  ],
  [
    'GET /api/v1/pods',
    {},
    'verb="LIST",group="",version="v1",resource="pods",subresource="",scope="cluster"',
  ],
  [
    'GET /apis/apps/v1/namespaces/a/deployments/b/status',
    {},
    'verb="GET",group="apps",version="v1",resource="deployments",subresource="status",scope="resource"',
  ],
])('%s is counted as %s', (request, more, labels) => {
  const [line = ''] = told(
    [record(request, { ...more, response: { code: 200, size: 1 } })],
    'apiserver_response_sizes_count',
  );
  expect(line).toBe(`apiserver_response_sizes_count{${labels},component="apiserver"} 1`);
});

it.each<[string, Partial<RequestRecord>, string]>([
  ['POST /api/v1/namespaces/a/pods', {}, 'POST'],
  ['PUT /api/v1/namespaces/a/pods/b', {}, 'PUT'],
  ['PATCH /api/v1/namespaces/a/pods/b', { isApply: true }, 'APPLY'],
  ['DELETE /api/v1/namespaces/a/pods', {}, 'DELETECOLLECTION'],
  ['GET /api/v1/pods?watch=1', { isLongRunning: true }, 'WATCH'],
  ['GET /api/v1/namespaces/a/pods/b/exec', { isLongRunning: true }, 'CONNECT'],
])('%s is reported as a verb of its own', (request, more, verb) => {
  const [line = ''] = told(
    [record(request, { ...more, response: { code: 200, size: 1 } })],
    'apiserver_request_total',
  );
  expect(line).toContain(`{verb="${verb}",`);
});

it('forgets what has ended', () => {
  const ended = [
    record('GET /api/v1/pods', { response: { code: 200, size: 1 } }),
    record('GET /api/v1/pods?watch=1', { isLongRunning: true, response: { code: 200, size: 0 } }),
  ];
  expect(told(ended, 'apiserver_current_inflight_requests')).toEqual([
    'apiserver_current_inflight_requests{request_kind="mutating"} 0',
    'apiserver_current_inflight_requests{request_kind="readOnly"} 0',
  ]);
  expect(
    told(
      ended.map((one) => ({ ...one, phase: 'received' })),
      'apiserver_longrunning_requests',
    ),
  ).toEqual([expect.stringMatching(/ 0$/)]);
});
