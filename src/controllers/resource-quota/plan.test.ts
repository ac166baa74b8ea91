import { describe, expect, it } from 'vitest';
import { podEvaluator } from '../../api/core/quota/pod-evaluator.ts';
import type { Pod, ResourceQuota } from '../../api/core/v1.gen.ts';
import { planUsage } from './plan.ts';

const now = Date.parse('2026-01-01T00:00:00Z');

function quota(hard: Record<string, string>, more: Partial<ResourceQuota> = {}): ResourceQuota {
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q' }, spec: { hard }, ...more };
}

function pod(cpu: string | undefined, phase: 'Running' | 'Succeeded' = 'Running'): Pod {
  const resources = cpu === undefined ? {} : { resources: { requests: { cpu } } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i', ...resources }] },
    status: { phase },
  };
}

describe('planUsage', () => {
  it.each<[string, ResourceQuota, readonly Pod[], Record<string, string>]>([
    [
      'sums what pods that run request',
      quota({ pods: '10', 'requests.cpu': '4' }),
      [pod('250m'), pod('1750m'), pod('1', 'Succeeded')],
      { pods: '2', 'requests.cpu': '2' },
    ],
    ['is nothing without objects', quota({ pods: '10' }), [], { pods: '0' }],
    [
      'keeps what was known of names that nothing counts',
      quota(
        { pods: '1', 'requests.storage': '1Gi' },
        { status: { used: { 'requests.storage': '5Mi', gone: '1' } } },
      ),
      [pod(undefined)],
      { pods: '1', 'requests.storage': '5Mi' },
    ],
    [
      'counts only what its scopes take in',
      quota({ pods: '3' }, { spec: { hard: { pods: '3' }, scopes: ['BestEffort'] } }),
      [pod('1'), pod(undefined)],
      { pods: '1' },
    ],
  ])('%s', (_, limits, objects, expected) => {
    expect(planUsage(limits, [{ evaluator: podEvaluator, objects }], now)).toEqual(expected);
  });
});
