import { expect, it } from 'vitest';
import type { Service, ServiceSpec } from '../../api/core/v1.gen.ts';
import { planUpstream, portOf } from './service-upstream.ts';

function service(name: string, spec: ServiceSpec): Service {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name }, spec };
}

const shop = service('shop', { clusterIP: '10.96.0.7', ports: [{ name: 'http', port: 80 }] });
const headless = service('headless', { clusterIP: 'None', ports: [{ port: 80 }] });
const lookup = (namespace: string, name: string): Service | undefined =>
  namespace === 'default' ? [shop, headless].find(({ metadata }) => metadata?.name === name) : undefined;

it.each<[string, number | string, ServiceSpec, number | undefined]>([
  ['by number', 80, { ports: [{ name: 'http', port: 80 }] }, 80],
  ['by name', 'http', { ports: [{ name: 'http', port: 80 }] }, 80],
  ['not over UDP', 80, { ports: [{ port: 80, protocol: 'UDP' }] }, undefined],
  ['of an external name without ports', 8080, { type: 'ExternalName', externalName: 'a.example' }, 8080],
  [
    'of an external name, not by a name',
    'http',
    { type: 'ExternalName', externalName: 'a.example' },
    undefined,
  ],
  ['of an external name with other ports', 8080, { type: 'ExternalName', ports: [{ port: 80 }] }, undefined],
])('a port is found %s', (_, port, spec, expected) => {
  expect(portOf(service('web', spec), port)?.port).toBe(expected);
});

it.each([
  ['shop.example', 'shop.example'],
  ['shop.default.svc.cluster.local', '10.96.0.7'],
  ['shop.default.svc', '10.96.0.7'],
  ['headless.default.svc.cluster.local', 'headless.default.svc.cluster.local'],
  ['other.default.svc.cluster.local', 'other.default.svc.cluster.local'],
])('the external name %s leads to %s', (externalName, ip) => {
  const alias = service('alias', { type: 'ExternalName', externalName });
  const upstream = planUpstream({ namespace: 'default', service: 'alias', port: 80 }, alias, [], lookup);
  expect(upstream?.endpoints).toEqual([{ ip, port: 80 }]);
});
