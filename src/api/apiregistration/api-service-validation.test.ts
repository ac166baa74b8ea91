import { expect, it } from 'vitest';
import { validateApiService } from './api-service-validation.ts';
import type { APIService, APIServiceSpec } from './v1.gen.ts';

function service(spec: Partial<APIServiceSpec>): APIService {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1.example.com' },
    spec: { group: 'example.com', version: 'v1', groupPriorityMinimum: 10, versionPriority: 10, ...spec },
  };
}

const at = { name: 'a', namespace: 'b' };

it.each<[string, Partial<APIServiceSpec>, readonly string[]]>([
  ['behind a service', { service: at }, []],
  ['behind no port', { service: { ...at, port: 0 } }, ['spec.service.port']],
  ['behind a port too far', { service: { ...at, port: 65_536 } }, ['spec.service.port']],
  ['here, with a certificate', { caBundle: 'eA==' }, ['spec.caBundle']],
  [
    'both trusted and not checked',
    { service: at, caBundle: 'eA==', insecureSkipTLSVerify: true },
    ['spec.insecureSkipTLSVerify'],
  ],
])('judges a version %s', (_, spec, expected) => {
  expect(validateApiService(service(spec)).map(({ field }) => field)).toEqual(expected);
});
