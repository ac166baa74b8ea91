import { expect, test } from 'vitest';
import { kubernetesSchema } from '../schema/table.ts';
import { structureOfMessage } from './structure-of-message.ts';
import type { Structure } from './structure.ts';

function at(message: string, ...path: readonly string[]): Structure | undefined {
  let here: Structure | undefined = structureOfMessage(kubernetesSchema(), message);
  for (const step of path) {
    if (here?.type === 'list') here = here.items;
    here = here?.type === 'map' ? here.member(step) : undefined;
  }
  return here;
}

const podSpec = 'io.k8s.api.core.v1.PodSpec';

test.each([
  [
    'a list map has its keys and their defaults',
    [podSpec, 'containers', 'ports'],
    { list: 'map', keys: ['containerPort', 'protocol'], keyDefaults: { containerPort: 0, protocol: 'TCP' } },
  ],
  ['a list without a type is atomic', [podSpec, 'containers', 'args'], { list: 'atomic' }],
  ['finalizers are a set', ['io.k8s.api.core.v1.Pod', 'metadata', 'finalizers'], { list: 'set' }],
  [
    'a label selector is atomic',
    ['io.k8s.api.apps.v1.DeploymentSpec', 'selector'],
    { type: 'map', atomic: true },
  ],
  [
    'a map field can be atomic',
    ['io.k8s.api.core.v1.ServiceSpec', 'selector'],
    { type: 'map', atomic: true },
  ],
  ['labels are granular', ['io.k8s.api.core.v1.Pod', 'metadata', 'labels'], { type: 'map', atomic: false }],
  [
    'a quantity is a scalar',
    ['io.k8s.api.core.v1.ResourceRequirements', 'limits', 'cpu'],
    { type: 'scalar' },
  ],
] as const)('%s', (_name, [message, ...path], expected) => {
  expect(at(message, ...path)).toMatchObject(expected);
});

test('a message has the members of its fields only', () => {
  expect(at(podSpec, 'nothing')).toBeUndefined();
  expect(at('io.k8s.api.core.v1.Pod', 'metadata', 'labels', 'any')).toEqual({ type: 'scalar', of: 'string' });
});
