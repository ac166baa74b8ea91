import type { FieldSchema, FieldType } from '../../machinery/schema/schema.ts';
import { legacyMetrics } from './legacy-metrics.ts';

/** How a removed message differs from the one it is derived from. */
export interface Difference {
  readonly without?: readonly string[];
  /** Fields that may be left out. */
  readonly optional?: readonly string[];
  /** Fields that Go held as pointers. */
  readonly pointers?: readonly string[];
  readonly added?: readonly FieldSchema[];
  /** The whole message, when today's API has none like it. */
  readonly fields?: readonly FieldSchema[];
}

/** One removed group and version. */
export interface LegacyPackage {
  readonly group: string;
  readonly version: string;
  /** The packages that its messages are derived from, first match first. */
  readonly origins: readonly string[];
  /** Messages of the origins that it used as they were. */
  readonly shared?: readonly string[];
  readonly differences: Readonly<Record<string, Difference>>;
}

const api = 'io.k8s.api';
const crd = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions';

function field(name: string, number: number, of: FieldType): FieldSchema {
  const scalar =
    of.type === 'string' || of.type === 'int64' || of.type === 'intOrString' || of.type === 'list';
  return { name, number, of, pointer: !scalar, omitempty: true, required: false };
}

function message(name: string): FieldType {
  return { type: 'message', message: name };
}

function rollback(from: string): Readonly<Record<string, Difference>> {
  return {
    DeploymentSpec: {
      optional: ['selector'],
      added: [field('rollbackTo', 8, message(`${from}.RollbackConfig`))],
    },
    RollbackConfig: { fields: [field('revision', 1, { type: 'int64' })] },
  };
}

function ingress(from: string): Readonly<Record<string, Difference>> {
  return {
    HTTPIngressPath: { optional: ['pathType'] },
    IngressBackend: {
      without: ['service'],
      added: [
        field('serviceName', 1, { type: 'string' }),
        { ...field('servicePort', 2, { type: 'intOrString' }), omitzero: true },
      ],
    },
    IngressSpec: {
      without: ['defaultBackend'],
      added: [field('backend', 1, message(`${from}.IngressBackend`))],
    },
  };
}

const webhook: Difference = { optional: ['admissionReviewVersions', 'sideEffects'] };

/** By package name; all messages that are not mentioned are as today. */
export const legacyPackages: Readonly<Record<string, LegacyPackage>> = {
  [`${api}.apps.v1beta1`]: {
    group: 'apps',
    version: 'v1beta1',
    origins: [`${api}.apps.v1`],
    differences: {
      ...rollback(`${api}.apps.v1beta1`),
      StatefulSetSpec: { optional: ['selector'] },
      StatefulSetStatus: { pointers: ['observedGeneration'] },
    },
  },
  [`${api}.apps.v1beta2`]: {
    group: 'apps',
    version: 'v1beta2',
    origins: [`${api}.apps.v1`],
    differences: {},
  },
  [`${api}.extensions.v1beta1`]: {
    group: 'extensions',
    version: 'v1beta1',
    origins: [`${api}.apps.v1`, `${api}.networking.v1`],
    differences: {
      ...rollback(`${api}.extensions.v1beta1`),
      ...ingress(`${api}.extensions.v1beta1`),
      DaemonSetSpec: {
        optional: ['selector'],
        added: [field('templateGeneration', 5, { type: 'int64' })],
      },
      ReplicaSetSpec: { optional: ['selector'] },
    },
  },
  [`${api}.networking.v1beta1`]: {
    group: 'networking.k8s.io',
    version: 'v1beta1',
    origins: [`${api}.networking.v1`],
    differences: ingress(`${api}.networking.v1beta1`),
  },
  [`${api}.policy.v1beta1`]: {
    group: 'policy',
    version: 'v1beta1',
    origins: [`${api}.policy.v1`],
    differences: {},
  },
  [`${api}.rbac.v1beta1`]: {
    group: 'rbac.authorization.k8s.io',
    version: 'v1beta1',
    origins: [`${api}.rbac.v1`],
    differences: {},
  },
  [`${api}.batch.v1beta1`]: {
    group: 'batch',
    version: 'v1beta1',
    origins: [`${api}.batch.v1`],
    shared: ['JobSpec'],
    differences: {},
  },
  [`${api}.autoscaling.v2beta2`]: {
    group: 'autoscaling',
    version: 'v2beta2',
    origins: [`${api}.autoscaling.v2`],
    differences: { HPAScalingRules: { without: ['tolerance'] } },
  },
  [`${api}.autoscaling.v2beta1`]: {
    group: 'autoscaling',
    version: 'v2beta1',
    origins: [`${api}.autoscaling.v2`],
    differences: {
      ...legacyMetrics,
      HorizontalPodAutoscalerSpec: { without: ['behavior'] },
    },
  },
  [`${api}.admissionregistration.v1beta1`]: {
    group: 'admissionregistration.k8s.io',
    version: 'v1beta1',
    origins: [`${api}.admissionregistration.v1`],
    differences: { MutatingWebhook: webhook, ValidatingWebhook: webhook },
  },
  [`${crd}.v1beta1`]: {
    group: 'apiextensions.k8s.io',
    version: 'v1beta1',
    origins: [`${crd}.v1`],
    differences: {
      CustomResourceDefinitionSpec: {
        optional: ['versions'],
        added: [
          field('version', 2, { type: 'string' }),
          field('validation', 5, message(`${crd}.v1beta1.CustomResourceValidation`)),
          field('subresources', 6, message(`${crd}.v1beta1.CustomResourceSubresources`)),
          field('additionalPrinterColumns', 8, {
            type: 'list',
            items: message(`${crd}.v1beta1.CustomResourceColumnDefinition`),
          }),
        ],
      },
      CustomResourceColumnDefinition: {
        without: ['jsonPath'],
        added: [{ ...field('JSONPath', 6, { type: 'string' }), omitempty: false, required: true }],
      },
      CustomResourceConversion: {
        without: ['webhook'],
        added: [
          field('webhookClientConfig', 2, message(`${crd}.v1beta1.WebhookClientConfig`)),
          field('conversionReviewVersions', 3, { type: 'list', items: { type: 'string' } }),
        ],
      },
    },
  },
};
