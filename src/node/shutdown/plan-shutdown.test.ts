import { expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import { planShutdown } from './plan-shutdown.ts';

function pod(name: string, priority: number | undefined, seconds: number): { readonly pod: Pod } {
  const spec = { containers: [], terminationGracePeriodSeconds: seconds };
  return {
    pod: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: priority === undefined ? spec : { ...spec, priority },
    },
  };
}

const grace = [
  { priority: 2_000_000_000, graceMs: 10_000 },
  { priority: 0, graceMs: 20_000 },
];

it('ends the least important first, none later than its group', () => {
  const groups = planShutdown(
    [pod('critical', 2_000_000_001, 60), pod('slow', undefined, 60), pod('quick', 5, 1), pod('low', -5, 2)],
    grace,
  );
  const shown = groups.map(({ graceMs, members }) => [
    graceMs,
    ...members.map((member) => `${member.pod.metadata.name} ${member.graceMs}`),
  ]);
  expect(shown).toEqual([
    [20_000, 'slow 20000', 'quick 1000', 'low 2000'],
    [10_000, 'critical 10000'],
  ]);
});

it('leaves out groups without pods', () => {
  expect(planShutdown([], grace)).toEqual([]);
});
