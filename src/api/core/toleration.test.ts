import { describe, expect, it } from 'vitest';
import type { Taint, Toleration } from './v1.gen.ts';
import { tolerates, toleratesAll } from './toleration.ts';

const taint: Taint = { key: 'k', value: 'v', effect: 'NoSchedule' };

describe('tolerates', () => {
  it.each<[string, Toleration[], boolean]>([
    ['nothing by default', [], false],
    [
      'the same key, value and effect',
      [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoSchedule' }],
      true,
    ],
    ['with Equal as the default operator', [{ key: 'k', value: 'v' }], true],
    ['not another value', [{ key: 'k', value: 'w' }], false],
    ['any value of a key', [{ key: 'k', operator: 'Exists' }], true],
    ['everything', [{ operator: 'Exists' }], true],
    ['not another effect', [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }], false],
    ['not by comparing numbers: off by default in 1.36', [{ key: 'k', operator: 'Gt', value: '1' }], false],
  ])('%s', (_name, tolerations, expected) => {
    expect(tolerates(tolerations, taint)).toBe(expected);
  });
});

describe('toleratesAll', () => {
  it.each<[string, Taint[] | undefined, boolean]>([
    ['no taints', undefined, true],
    ['only preferences', [{ ...taint, effect: 'PreferNoSchedule' }], true],
    [
      'a taint too many',
      [
        { ...taint, effect: 'PreferNoSchedule' },
        { ...taint, effect: 'NoExecute' },
      ],
      false,
    ],
  ])('%s', (_name, taints, expected) => {
    expect(toleratesAll([], taints)).toBe(expected);
  });
});
