import type { CustomResourceDefinition } from '../../../api/apiextensions/v1.gen.ts';
import { KWOK_GROUP, KWOK_VERSION } from './stage.ts';
import { metricSpec, podResourceSpec } from './pod-resource-specs.ts';
import { stageSpec } from './stage-definition.ts';

interface KwokKind {
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly spec: Readonly<Record<string, unknown>>;
}

const lists = {
  logs: ['Logs', 'logs'],
  attaches: ['Attach', 'attaches'],
  execs: ['Exec', 'execs'],
  forwards: ['PortForward', 'portforwards'],
  usages: ['ResourceUsage', 'resourceusages'],
} as const;

function kinds(): readonly KwokKind[] {
  return [
    { kind: 'Stage', plural: 'stages', namespaced: false, spec: stageSpec },
    { kind: 'Metric', plural: 'metrics', namespaced: false, spec: metricSpec },
    ...Object.entries(lists).flatMap(([list, [kind, plural]]) => [
      { kind, plural, namespaced: true, spec: podResourceSpec(list, 'one pod') },
      {
        kind: `Cluster${kind}`,
        plural: `cluster${plural}`,
        namespaced: false,
        spec: podResourceSpec(list, 'cluster'),
      },
    ]),
  ];
}

const status = {
  type: 'object',
  properties: {
    conditions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['lastTransitionTime', 'reason', 'status', 'type'],
        properties: {
          type: { type: 'string', maxLength: 316 },
          status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
          reason: { type: 'string', minLength: 1, maxLength: 1024 },
          message: { type: 'string', maxLength: 32_768 },
          lastTransitionTime: { type: 'string', format: 'date-time' },
        },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
  },
};

/** The definitions of KWOK's resources, so that they can be applied as they are. */
export function kwokDefinitions(): readonly CustomResourceDefinition[] {
  return kinds().map(({ kind, plural, namespaced, spec }) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${KWOK_GROUP}` },
    spec: {
      group: KWOK_GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: [
        {
          name: KWOK_VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  }));
}
