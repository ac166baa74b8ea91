import { expect, it } from 'vitest';
import type { DeepMutable } from '../../machinery/object.ts';
import { mergeLabelKeys } from './pod-label-keys.ts';
import type { Pod } from './v1.gen.ts';

it('turns label keys of affinity and spreading into requirements', () => {
  const matchLabels = { app: 'web' };
  const topologyKey = 'zone';
  const pod: DeepMutable<Pod> = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { version: '2', tier: 'a' } },
    spec: {
      containers: [],
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey, labelSelector: { matchLabels }, matchLabelKeys: ['version', 'absent'] },
          ],
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 1,
              podAffinityTerm: { topologyKey, labelSelector: { matchLabels }, mismatchLabelKeys: ['tier'] },
            },
          ],
        },
      },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels },
          matchLabelKeys: ['version'],
        },
      ],
    },
  };
  mergeLabelKeys(pod);
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const same = [{ key: 'version', operator: 'In', values: ['2'] }];
  expect(
    podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0]?.labelSelector?.matchExpressions,
  ).toEqual(same);
  const [avoided] = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  expect(avoided?.podAffinityTerm.labelSelector?.matchExpressions).toEqual([
    { key: 'tier', operator: 'NotIn', values: ['a'] },
  ]);
  expect(pod.spec.topologySpreadConstraints?.[0]?.labelSelector?.matchExpressions).toEqual(same);
});
