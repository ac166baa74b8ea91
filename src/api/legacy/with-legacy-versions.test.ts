import { describe, expect, it } from 'vitest';
import { controllerRevisions } from '../apps/controller-revisions.ts';
import { daemonSets } from '../apps/daemon-sets.ts';
import { deployments } from '../apps/deployments.ts';
import { replicaSets } from '../apps/replica-sets.ts';
import { statefulSets } from '../apps/stateful-sets.ts';
import { horizontalPodAutoscalers } from '../autoscaling/horizontal-pod-autoscalers.ts';
import { ingresses } from '../networking/ingresses.ts';
import { podDisruptionBudgets } from '../policy/pod-disruption-budgets.ts';
import type { AnyResource } from '../resource.ts';
import { customResourceDefinitionForms } from './custom-resource-definition-forms.ts';
import type { Form } from './legacy-version.ts';
import { withLegacyVersions } from './with-legacy-versions.ts';

const definitions = withLegacyVersions([
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
  horizontalPodAutoscalers,
  ingresses,
  podDisruptionBudgets,
]);

function versionOf(kind: string, apiVersion: string): AnyResource['versions'][string] {
  const version = definitions
    .flatMap(({ versions }) => Object.entries(versions))
    .find(([name, { type }]) => name === apiVersion && type.kind === kind);
  if (!version) throw new Error(`${apiVersion} ${kind} is not served`);
  return version[1];
}

function stored(kind: string, apiVersion: string, fields: object): Form {
  const version = versionOf(kind, apiVersion);
  const object = { apiVersion, kind, metadata: { name: 'x' }, ...structuredClone(fields) };
  version.defaults?.(object);
  return version.toStorage?.(object) as Form;
}

const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } };

describe('a removed version', () => {
  it.each([
    ['extensions/v1beta1', { progressDeadlineSeconds: 2_147_483_647, revisionHistoryLimit: 2_147_483_647 }],
    ['apps/v1beta1', { progressDeadlineSeconds: 600, revisionHistoryLimit: 2 }],
    ['apps/v1beta2', { progressDeadlineSeconds: 600, revisionHistoryLimit: 10 }],
  ])('has defaults of its own: a deployment of %s', (apiVersion, defaults) => {
    const { apiVersion: now, spec } = stored('Deployment', apiVersion, { spec: { template } });
    expect(now).toBe('apps/v1');
    expect(spec).toMatchObject(defaults);
  });

  it.each([
    ['Deployment', 'extensions/v1beta1'],
    ['ReplicaSet', 'extensions/v1beta1'],
    ['DaemonSet', 'extensions/v1beta1'],
    ['StatefulSet', 'apps/v1beta1'],
  ])('selects the labels of the template: a %s of %s', (kind, apiVersion) => {
    const { metadata, spec } = stored(kind, apiVersion, { spec: { template } });
    expect(spec).toMatchObject({ selector: { matchLabels: { app: 'x' } } });
    expect(metadata.labels).toEqual({ app: 'x' });
  });

  it('warns as Kubernetes did', () => {
    expect(versionOf('Ingress', 'networking.k8s.io/v1beta1').deprecated).toBe(
      'networking.k8s.io/v1beta1 Ingress is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress',
    );
  });

  it.each<[string, string, object]>([
    ['Deployment', 'extensions/v1beta1', { spec: { rollbackTo: { revision: 3 } } }],
    ['DaemonSet', 'extensions/v1beta1', { spec: { templateGeneration: 4 } }],
    [
      'Ingress',
      'networking.k8s.io/v1beta1',
      {
        spec: {
          backend: { serviceName: 'all', servicePort: 80 },
          rules: [
            {
              host: 'a.b',
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { serviceName: 's', servicePort: 'http' } },
                ],
              },
            },
          ],
        },
      },
    ],
    ['PodDisruptionBudget', 'policy/v1beta1', { spec: { minAvailable: 1, selector: {} } }],
    [
      'HorizontalPodAutoscaler',
      'autoscaling/v2beta1',
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'x', apiVersion: 'apps/v1' },
          minReplicas: 1,
          maxReplicas: 2,
          metrics: [{ type: 'Pods', pods: { metricName: 'rps', targetAverageValue: '10' } }],
        },
      },
    ],
  ])('comes back from storage as it was: a %s of %s', (kind, apiVersion, fields) => {
    const back = versionOf(kind, apiVersion).fromStorage?.(stored(kind, apiVersion, fields));
    expect(back?.apiVersion).toBe(apiVersion);
    expect(back).toMatchObject(fields);
    expect(back?.metadata.annotations ?? {}).toEqual({});
  });

  it('selects nothing with an empty selector, which today selects everything', () => {
    const budget = stored('PodDisruptionBudget', 'policy/v1beta1', { spec: { selector: {} } });
    const key = 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match';
    expect(budget.spec).toEqual({ selector: { matchExpressions: [{ key, operator: 'Exists' }] } });
    const all = {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: {},
      spec: { selector: {} },
    };
    expect(versionOf('PodDisruptionBudget', 'policy/v1beta1').fromStorage?.(all)).toMatchObject({
      spec: { selector: { matchExpressions: [{ key, operator: 'DoesNotExist' }] } },
    });
  });

  it('gives every version of a custom resource what stood above all of them', () => {
    const [form] = customResourceDefinitionForms;
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1beta1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        version: 'v1',
        names: { plural: 'things', kind: 'Thing' },
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', JSONPath: '.spec.size' }],
      },
    } as Form;
    form?.defaults?.(definition);
    form?.toStored?.(definition);
    expect(definition.spec).toEqual({
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      conversion: { strategy: 'None' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
        },
      ],
    });
  });
});
