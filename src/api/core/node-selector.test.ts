import { describe, expect, it } from 'vitest';
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec } from './v1.gen.ts';
import { namedNodes, requiredNodes } from './node-selector.ts';

const node = (labels: Readonly<Record<string, string>>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels },
  spec: {},
});
const pod = (spec: Partial<PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [], ...spec },
});

const required = (...nodeSelectorTerms: NodeSelectorTerm[]): Partial<PodSpec> => ({
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
});
const label = (
  key: string,
  operator: NodeSelectorRequirement['operator'],
  ...values: string[]
): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});
const names = (...values: string[]): NodeSelectorTerm => ({
  matchFields: [{ key: 'metadata.name', operator: 'In', values }],
});

describe('requiredNodes', () => {
  const subject = node({ disk: 'ssd', cores: '8', empty: '' });
  it.each<[string, Partial<PodSpec>, boolean | undefined]>([
    ['asks for nothing', {}, undefined],
    ['takes an empty selector for none', { nodeSelector: {} }, undefined],
    ['matches labels', { nodeSelector: { disk: 'ssd' } }, true],
    ['needs all labels', { nodeSelector: { disk: 'ssd', zone: 'a' } }, false],
    [
      'needs the selector as well as the terms',
      { nodeSelector: { zone: 'a' }, ...required(label('disk', 'Exists')) },
      false,
    ],
    ['matches any term', required(label('zone', 'Exists'), label('disk', 'Exists')), true],
    [
      'needs all expressions of a term',
      required({
        matchExpressions: [
          ...(label('disk', 'Exists').matchExpressions ?? []),
          ...(label('zone', 'Exists').matchExpressions ?? []),
        ],
      }),
      false,
    ],
    ['takes an empty term for nothing', required({}), false],
    ['In', required(label('disk', 'In', 'hdd', 'ssd')), true],
    ['NotIn', required(label('disk', 'NotIn', 'ssd')), false],
    ['NotIn of an absent label', required(label('zone', 'NotIn', 'a')), true],
    ['DoesNotExist', required(label('zone', 'DoesNotExist')), true],
    ['Exists with an empty value', required(label('empty', 'Exists')), true],
    ['Gt', required(label('cores', 'Gt', '7')), true],
    ['Gt is strict', required(label('cores', 'Gt', '8')), false],
    ['Lt', required(label('cores', 'Lt', '9')), true],
    ['Gt of what is no number', required(label('disk', 'Gt', '1')), false],
    ['Gt of an absent label', required(label('zone', 'Gt', '1')), false],
    ['matches the name', required(names('n', 'm')), true],
    [
      'excludes the name',
      required({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n'] }] }),
      false,
    ],
    ['needs fields as well as labels', required({ ...names('n'), ...label('zone', 'Exists') }), false],
  ])('%s', (_name, spec, expected) => {
    expect(requiredNodes(pod(spec))?.(subject)).toBe(expected);
  });
});

describe('namedNodes', () => {
  it.each<[string, Partial<PodSpec>, string[] | undefined]>([
    ['knows no names without affinity', {}, undefined],
    ['finds the node of a daemon pod', required(names('a')), ['a']],
    ['joins terms', required(names('a'), names('b')), ['a', 'b']],
    ['knows none when one term names no node', required(names('a'), label('disk', 'Exists')), undefined],
    [
      'intersects the fields of a term',
      required({
        matchFields: [...(names('a', 'b').matchFields ?? []), ...(names('b', 'c').matchFields ?? [])],
      }),
      ['b'],
    ],
    [
      'finds that fields contradict each other',
      required({ matchFields: [...(names('a').matchFields ?? []), ...(names('b').matchFields ?? [])] }),
      [],
    ],
  ])('%s', (_name, spec, expected) => {
    const found = namedNodes(pod(spec));
    expect(found && [...found]).toEqual(expected);
  });
});
