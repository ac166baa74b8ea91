import { describe, expect, it } from 'vitest';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { legacySchema } from './legacy-schema.ts';

const table = legacySchema(kubernetesSchema());

describe('the schema of removed versions', () => {
  it('has the fields of today, moved to the removed package', () => {
    const budget = table.get('io.k8s.api.policy.v1beta1.PodDisruptionBudget');
    expect(budget.groupVersionKind).toEqual({
      group: 'policy',
      version: 'v1beta1',
      kind: 'PodDisruptionBudget',
    });
    expect(budget.fields.get('spec')?.of).toEqual({
      type: 'message',
      message: 'io.k8s.api.policy.v1beta1.PodDisruptionBudgetSpec',
    });
  });

  it('refers to messages that it shared with other versions as they are', () => {
    const job = table.get('io.k8s.api.batch.v1beta1.JobTemplateSpec').fields.get('spec');
    expect(job?.of).toEqual({ type: 'message', message: 'io.k8s.api.batch.v1.JobSpec' });
  });

  it.each([
    ['io.k8s.api.extensions.v1beta1.DaemonSetSpec', 'templateGeneration', 5],
    ['io.k8s.api.apps.v1beta1.DeploymentSpec', 'rollbackTo', 8],
    ['io.k8s.api.networking.v1beta1.IngressBackend', 'serviceName', 1],
    ['io.k8s.api.extensions.v1beta1.IngressSpec', 'backend', 1],
    ['io.k8s.api.autoscaling.v2beta1.ResourceMetricSource', 'targetAverageUtilization', 2],
    [
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinitionSpec',
      'validation',
      5,
    ],
  ])('has in %s the old %s', (message, field, number) => {
    expect(table.get(message).fields.get(field)?.number).toBe(number);
  });

  it('keeps what today has', () => {
    expect(table.get('io.k8s.api.core.v1.Pod')).toBe(kubernetesSchema().get('io.k8s.api.core.v1.Pod'));
    expect(table.has('io.k8s.api.apps.v1beta1.Nothing')).toBe(false);
    expect(table.has('io.k8s.api.none.v1.Pod')).toBe(false);
  });
});
