import { describe, expect, it } from 'vitest';
import { optionalApis } from './optional-apis.ts';

const count = (...settings: string[]): number => optionalApis(settings).length;

describe('--runtime-config', () => {
  it.each<[readonly string[], number]>([
    [[], 0],
    [['storagemigration.k8s.io/v1beta1=true'], 1],
    [['storagemigration.k8s.io/v1beta1'], 1],
    [['api/all=true', 'storagemigration.k8s.io/v1beta1=false'], 0],
    [['api/beta=true'], 1],
  ])('%j serves %d more resources', (settings, expected) => {
    expect(count(...settings)).toBe(expected);
  });

  it('refuses what it does not know', () => {
    expect(() => count('batch/v9=true')).toThrow('what can be switched is storagemigration.k8s.io/v1beta1');
    expect(() => count('api/all=maybe')).toThrow('=true or =false');
  });
});
