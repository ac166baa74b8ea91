import { describe, expect, it } from 'vitest';
import type { ConfigMap, Container, Pod, Secret, Service } from '../../api/core/v1.gen.ts';
import { containerEnv, type EnvSources } from './container-env.ts';
import { serviceEnv, servicesForPod } from './service-env.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { b: '2', a: '"1"' } },
  spec: { nodeName: 'n', containers: [] },
};
const configMap: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c' },
  data: { k: 'v', l: 'w' },
};
const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k: 'aGlkZGVu' } };

const sources: EnvSources = {
  pod,
  addresses: { podIPs: ['10.0.0.1'], hostIPs: ['192.0.2.1'] },
  allocatable: { cpu: '2', memory: '4Gi' },
  services: [
    ['A_SERVICE_HOST', '10.96.0.9'],
    ['B', 'from the service'],
  ],
  configMap: (name) => Promise.resolve(name === 'c' ? configMap : undefined),
  secret: (name) => Promise.resolve(name === 's' ? secret : undefined),
  file: () => Promise.resolve(undefined),
};

const resources = { requests: { cpu: '250m', memory: '32Mi' }, limits: { cpu: '1500m' } };

async function envOf(container: Partial<Container>): Promise<Record<string, string>> {
  const env = await containerEnv({ name: 'main', resources, ...container }, sources);
  const own = [...env].filter(([name]) => name !== 'A_SERVICE_HOST' && (name !== 'B' || container.env));
  return Object.fromEntries(own);
}

const rows: readonly (readonly [name: string, container: Partial<Container>, env: Record<string, string>])[] =
  [
    [
      'variables expand against those before them and services',
      {
        env: [
          { name: 'B', value: 'b' },
          { name: 'C', value: '$(B)-$(D)-$$(B)-$(A_SERVICE_HOST)' },
          { name: 'D', value: '$(NONE)' },
        ],
      },
      { B: 'b', C: 'b-$(D)-$(B)-10.96.0.9', D: '$(NONE)' },
    ],
    [
      'everything of a config map, with a prefix',
      { envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }] },
      { P_k: 'v', P_l: 'w' },
    ],
    ['everything of a secret', { envFrom: [{ secretRef: { name: 's' } }] }, { k: 'hidden' }],
    [
      'an optional config map may be absent',
      { envFrom: [{ configMapRef: { name: 'no', optional: true } }] },
      {},
    ],
    [
      'single keys',
      {
        env: [
          { name: 'K', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } },
          { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
        ],
      },
      { K: 'v', S: 'hidden', B: 'from the service' },
    ],
    [
      'fields of the pod',
      {
        env: [
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'L', valueFrom: { fieldRef: { fieldPath: "metadata.labels['b']" } } },
        ],
      },
      { IP: '10.0.0.1', L: '2', B: 'from the service' },
    ],
    [
      'resources in units of their divisor, rounded up, the node where there is no limit',
      {
        env: [
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'MILLI', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
          { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
        ],
      },
      { CPU: '2', MILLI: '250', MEM: '4', B: 'from the service' },
    ],
  ];

describe('the environment of a container', () => {
  it.each(rows)('%s', async (_name, container, env) => {
    expect(await envOf(container)).toEqual(env);
  });

  it.each([
    ['an absent config map', { configMapKeyRef: { name: 'no', key: 'k' } }, 'configmap "no" not found'],
    ['an absent secret', { secretKeyRef: { name: 'no', key: 'k' } }, 'secret "no" not found'],
    [
      'an absent key',
      { configMapKeyRef: { name: 'c', key: 'no' } },
      "couldn't find key no in ConfigMap ns/c",
    ],
    [
      'an absent key of a secret',
      { secretKeyRef: { name: 's', key: 'no' } },
      "couldn't find key no in Secret ns/s",
    ],
  ])('refuses %s', async (_name, valueFrom, message) => {
    await expect(envOf({ env: [{ name: 'E', valueFrom }] })).rejects.toThrow(message);
  });
});

describe('the variables of services', () => {
  const service = (namespace: string, name: string, clusterIP: string): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP, ports: [{ name: 'web-ui', port: 80 }] },
  });

  it('name host, ports and links', () => {
    expect(
      Object.fromEntries(
        serviceEnv([service('ns', 'redis-master', '10.96.0.7'), service('ns', 'headless', 'None')]),
      ),
    ).toEqual({
      REDIS_MASTER_SERVICE_HOST: '10.96.0.7',
      REDIS_MASTER_SERVICE_PORT: '80',
      REDIS_MASTER_SERVICE_PORT_WEB_UI: '80',
      REDIS_MASTER_PORT: 'tcp://10.96.0.7:80',
      REDIS_MASTER_PORT_80_TCP: 'tcp://10.96.0.7:80',
      REDIS_MASTER_PORT_80_TCP_PROTO: 'tcp',
      REDIS_MASTER_PORT_80_TCP_PORT: '80',
      REDIS_MASTER_PORT_80_TCP_ADDR: '10.96.0.7',
    });
  });

  it('come from the own namespace and the API', () => {
    const all = [
      service('default', 'kubernetes', '10.96.0.1'),
      service('ns', 'a', '10.96.0.2'),
      service('other', 'b', '10.96.0.3'),
    ];
    const names = (links: 'own-namespace' | 'api-only'): readonly (string | undefined)[] =>
      servicesForPod(all, { namespace: 'ns', links }).map(({ metadata }) => metadata.name);
    expect(names('own-namespace')).toEqual(['a', 'kubernetes']);
    expect(names('api-only')).toEqual(['kubernetes']);
  });
});
