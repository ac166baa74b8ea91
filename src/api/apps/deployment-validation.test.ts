import { describe, expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { validateDeployment, validateDeploymentUpdate } from './deployment-validation.ts';
import { deployments } from './deployments.ts';
import type { Deployment, DeploymentSpec } from './v1.gen.ts';

const template = {
  metadata: { labels: { app: 'd' } },
  spec: { containers: [{ name: 'c', image: 'x:1' }] },
};

function deployment(spec: Partial<DeploymentSpec> = {}): Deployment {
  const made: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'd' },
    spec: { selector: { matchLabels: { app: 'd' } }, template, ...spec },
  };
  const copy = mutableCopy(made);
  deployments.versions['v1']?.defaults?.(copy);
  return copy;
}

describe('validateDeployment', () => {
  it.each<[string, Partial<DeploymentSpec>, string[]]>([
    ['accepts what defaults complete', {}, []],
    [
      'wants a selector that selects the template',
      { selector: { matchLabels: { app: 'other' } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"d"}: `selector` does not match template `labels`',
      ],
    ],
    [
      'wants a selector that selects something',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'wants progress after readiness',
      { minReadySeconds: 60, progressDeadlineSeconds: 60 },
      ['spec.progressDeadlineSeconds: Invalid value: 60: must be greater than minReadySeconds'],
    ],
    [
      'wants room to roll out',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      'wants pods that always restart',
      { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
  ])('%s', (_name, spec, expected) => {
    const errors = validateDeployment(deployment(spec));
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual(expected);
  });

  it('keeps the selector for life', () => {
    const next = deployment({ selector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } });
    expect(
      validateDeploymentUpdate(next, deployment()).map(({ field, message }) => `${field}: ${message}`),
    ).toEqual([
      'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"Exists"}]}: field is immutable',
    ]);
  });
});
