import type { EvictionThreshold, ThresholdAmount } from '../eviction/eviction-threshold.ts';
import type { NodeSettings } from './node-settings.ts';

/** Settings as a `KubeletConfiguration` (kubelet.config.k8s.io/v1beta1). */
export function kubeletConfiguration(settings: NodeSettings): object {
  const { eviction, imageGc, shutdownGrace } = settings;
  const of = (kind: EvictionThreshold['kind']): readonly EvictionThreshold[] =>
    eviction.thresholds.filter((one) => one.kind === kind);
  const seconds = (ms: number): string => `${ms / 1000}s`;
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    ...(settings.staticPodPath !== undefined && { staticPodPath: settings.staticPodPath }),
    authentication: { x509: {}, webhook: { enabled: true }, anonymous: { enabled: false } },
    authorization: { mode: 'Webhook' },
    maxPods: settings.maxPods,
    evictionHard: amounts(of('hard'), ({ at }) => at),
    evictionSoft: amounts(of('soft'), ({ at }) => at),
    evictionSoftGracePeriod: Object.fromEntries(of('soft').map((one) => [one.signal, seconds(one.graceMs)])),
    evictionMinimumReclaim: amounts(eviction.thresholds, ({ minReclaim }) => minReclaim),
    evictionPressureTransitionPeriod: seconds(eviction.pressureTransitionMs),
    evictionMaxPodGracePeriod: eviction.maxPodGraceSeconds,
    imageGCHighThresholdPercent: imageGc.highPercent,
    imageGCLowThresholdPercent: imageGc.lowPercent,
    imageMinimumGCAge: seconds(imageGc.minimumAgeMs),
    imageMaximumGCAge: seconds(imageGc.maximumAgeMs),
    containerLogMaxSize: String(settings.containerLogMaxBytes),
    containerLogMaxFiles: settings.containerLogMaxFiles,
    crashLoopBackOff: { maxContainerRestartPeriod: seconds(settings.maxRestartBackoffMs) },
    kubeReserved: settings.kubeReserved,
    systemReserved: settings.systemReserved,
    allowedUnsafeSysctls: settings.allowedUnsafeSysctls,
    seccompDefault: settings.seccompDefault,
    shutdownGracePeriodByPodPriority: shutdownGrace.map(({ priority, graceMs }) => ({
      priority,
      shutdownGracePeriodSeconds: graceMs / 1000,
    })),
  };
}

function amounts(
  thresholds: readonly EvictionThreshold[],
  amountOf: (one: EvictionThreshold) => ThresholdAmount | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    thresholds.flatMap((one) => {
      const found = amountOf(one);
      return found ? [[one.signal, 'percent' in found ? `${found.percent}%` : found.quantity]] : [];
    }),
  );
}
