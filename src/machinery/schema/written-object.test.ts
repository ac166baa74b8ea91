import { describe, expect, it } from 'vitest';
import { encodeObject } from './encode-object.ts';
import { kubernetesSchema } from './table.ts';
import { writtenObject } from './written-object.ts';

const table = kubernetesSchema();

describe('writtenObject', () => {
  it.each<[string, string, object]>([
    [
      'a deployment with what Go always writes missing',
      'io.k8s.api.apps.v1.Deployment',
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { replicas: 0 } },
    ],
    [
      'empty lists, maps, strings and zeros',
      'io.k8s.api.core.v1.Pod',
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', labels: {}, annotations: { a: '' }, finalizers: [] },
        spec: {
          containers: [{ name: 'c', image: '', resources: { limits: { cpu: '1' } }, ports: [] }],
          terminationGracePeriodSeconds: 0,
          hostNetwork: false,
          volumes: [{ name: 'v', emptyDir: {} }],
        },
        status: { conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ],
    [
      'values of any kind',
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
      {
        metadata: { name: 'd' },
        spec: {
          group: 'g',
          versions: [
            {
              name: 'v1',
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  default: { a: [1, null, {}] },
                  additionalProperties: false,
                  properties: { list: { type: 'array', items: { type: 'string' } } },
                },
              },
            },
          ],
        },
      },
    ],
    ['an empty service', 'io.k8s.api.core.v1.Service', {}],
  ])('is what is written: %s', (_, message, object) => {
    const schema = { table, message };
    expect(writtenObject(object, schema)).toEqual(JSON.parse(encodeObject(object, schema)));
  });
});
