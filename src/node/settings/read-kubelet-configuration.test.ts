import { describe, expect, it } from 'vitest';
import { kubeletConfiguration } from './kubelet-configuration.ts';
import { allocatableOf, defaultNodeSettings } from './node-settings.ts';
import { readKubeletConfiguration } from './read-kubelet-configuration.ts';

const head = 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';

it('is the default when nothing is said', () => {
  expect(readKubeletConfiguration({ flags: [] })).toEqual(defaultNodeSettings);
  expect(readKubeletConfiguration({ flags: [], text: `${head}cgroupDriver: systemd\n` })).toEqual(
    defaultNodeSettings,
  );
});

it('reads what it shows', () => {
  const text = JSON.stringify(kubeletConfiguration(defaultNodeSettings));
  expect(readKubeletConfiguration({ flags: [], text })).toEqual(defaultNodeSettings);
});

it.each([
  ['1s', 1000],
  ['5m', 300_000],
  ['2.5s', 2500],
])('holds failing containers back for at most %s', (period, ms) => {
  const text = `${head}crashLoopBackOff: {maxContainerRestartPeriod: ${period}}\n`;
  expect(readKubeletConfiguration({ flags: [], text }).maxRestartBackoffMs).toBe(ms);
});

it.each(['500ms', '6m', 'soon'])('but not for %s', (period) => {
  const text = `${head}crashLoopBackOff: {maxContainerRestartPeriod: ${period}}\n`;
  expect(() => readKubeletConfiguration({ flags: [], text })).toThrow('crashLoopBackOff: ');
});

it('reads a file, and flags that win over it', () => {
  const settings = readKubeletConfiguration({
    text: `${head}maxPods: 20\nevictionHard: {memory.available: 5%}\nevictionSoft: {nodefs.available: 1Gi}\nevictionSoftGracePeriod: {nodefs.available: 1m30s}\nshutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\n`,
    flags: [
      ['max-pods', '30'],
      ['kube-reserved', 'cpu=100m,memory=1Gi'],
      ['eviction-minimum-reclaim', 'memory.available=10Mi'],
      ['pod-manifest-path', '/m'],
    ],
  });
  expect(settings).toMatchObject({
    maxPods: 30,
    kubeReserved: { cpu: '100m', memory: '1Gi' },
    staticPodPath: '/m',
    eviction: {
      thresholds: [
        {
          signal: 'memory.available',
          at: { percent: 5 },
          kind: 'hard',
          graceMs: 0,
          minReclaim: { quantity: '10Mi' },
        },
        { signal: 'nodefs.available', at: { quantity: '1Gi' }, kind: 'soft', graceMs: 90_000 },
      ],
    },
    shutdownGrace: [
      { priority: 0, graceMs: 20_000 },
      { priority: 2_000_000_000, graceMs: 10_000 },
    ],
  });
});

it('reads thresholds as the kubelet’s flag writes them', () => {
  const flags = [['eviction-hard', 'memory.available<1Gi,pid.available<10%']] as const;
  expect(
    readKubeletConfiguration({ flags }).eviction.thresholds.map(({ signal, at }) => [signal, at]),
  ).toEqual([
    ['memory.available', { quantity: '1Gi' }],
    ['pid.available', { percent: 10 }],
  ]);
});

describe('what it cannot use', () => {
  it.each([
    ['nonsense: 1', 'nonsense: this node knows no such setting'],
    ['evictionHard: {disk: 1}', 'evictionHard: unsupported eviction signal disk'],
    ['evictionHard: {memory.available: 101%}', 'evictionHard: 101% is no percentage from 0% to 100%'],
    [
      'evictionSoft: {memory.available: 1Gi}',
      'evictionSoft: grace period must be specified for the soft eviction threshold memory.available',
    ],
    ['maxPods: many', 'maxPods: it must be a whole number'],
    ['containerLogMaxFiles: 1', 'containerLogMaxFiles must be greater than 1'],
    ['kubeReserved: {gpu: 1}', 'kubeReserved: cannot reserve gpu'],
  ])('%s', (line, problem) => {
    expect(() => readKubeletConfiguration({ flags: [], text: `${head}${line}\n` })).toThrow(problem);
  });
});

it('keeps from pods what is reserved and what hard thresholds keep free', () => {
  const capacity = { cpu: '4', memory: '1048576Ki', pods: '110' };
  const settings = {
    ...defaultNodeSettings,
    kubeReserved: { cpu: '500m' },
    systemReserved: { memory: '24Mi' },
  };
  expect(allocatableOf(capacity, settings)).toEqual({ cpu: '3500m', memory: '921600Ki', pods: '110' });
});
