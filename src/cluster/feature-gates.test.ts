import { expect, it } from 'vitest';
import { readFeatureGates } from './feature-gates.ts';

it('reads which gates are on; the last word counts', () => {
  expect([...readFeatureGates([])]).toEqual([]);
  expect([...readFeatureGates(['ContainerStopSignals=true'])]).toEqual(['ContainerStopSignals']);
  expect([...readFeatureGates(['ContainerStopSignals=true', 'ContainerStopSignals=false'])]).toEqual([]);
});

it.each([
  ['Nothing=true', 'unrecognized feature gate: Nothing'],
  ['ContainerStopSignals', 'invalid value of ContainerStopSignals'],
  ['ContainerStopSignals=maybe', 'invalid value of ContainerStopSignals'],
])('refuses %s', (setting, words) => {
  expect(() => readFeatureGates([setting])).toThrow(words);
});
