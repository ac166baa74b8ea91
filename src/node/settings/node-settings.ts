import { amount } from '../admission/insufficient-resource.ts';
import { formatQuantity, parseQuantity } from '../../machinery/quantity.ts';
import { quantityOf, type EvictionThreshold } from '../eviction/eviction-threshold.ts';

/** What a kubelet lets people choose, and this agent too; durations in milliseconds. */
export interface NodeSettings {
  readonly maxPods: number;
  /** By resource name: kept from pods for the agent, and for everything else on the machine. */
  readonly kubeReserved: Readonly<Record<string, string>>;
  readonly systemReserved: Readonly<Record<string, string>>;
  readonly eviction: EvictionSettings;
  readonly imageGc: ImageGcSettings;
  readonly containerLogMaxBytes: number;
  readonly containerLogMaxFiles: number;
  /** The longest that a container that ends again and again is held back: 1 to 300 seconds. */
  readonly maxRestartBackoffMs: number;
  /** Priorities and what their pods get to end when the node shuts down, lowest first; empty: no order is kept. */
  readonly shutdownGrace: readonly { readonly priority: number; readonly graceMs: number }[];
  /** A folder of pod manifests, or one of them. */
  readonly staticPodPath: string | undefined;
  readonly allowedUnsafeSysctls: readonly string[];
  /** `RuntimeDefault` where a pod names no seccomp profile. */
  readonly seccompDefault: boolean;
}

export interface EvictionSettings {
  readonly thresholds: readonly EvictionThreshold[];
  /** How long a condition of pressure stays after it was last seen. */
  readonly pressureTransitionMs: number;
  /** The most that a pod evicted for a soft threshold gets to end. */
  readonly maxPodGraceSeconds: number;
}

/** Percentages of the image file system's capacity. */
export interface ImageGcSettings {
  readonly highPercent: number;
  readonly lowPercent: number;
  /** How old an unused image must be. */
  readonly minimumAgeMs: number;
  /** Unused images older than this go whatever the disk; 0: never. */
  readonly maximumAgeMs: number;
}

/**
 * The kubelet's defaults but for disks: a developer's disk is often fuller than a server's, so pressure begins at an
 * amount rather than a share, and unused images are only removed under pressure.
 */
export const defaultNodeSettings: NodeSettings = {
  maxPods: 110,
  kubeReserved: {},
  systemReserved: {},
  eviction: {
    thresholds: [
      { signal: 'memory.available', at: { quantity: '100Mi' }, graceMs: 0, kind: 'hard' },
      { signal: 'nodefs.available', at: { quantity: '500Mi' }, graceMs: 0, kind: 'hard' },
      { signal: 'nodefs.inodesFree', at: { percent: 1 }, graceMs: 0, kind: 'hard' },
      { signal: 'imagefs.available', at: { quantity: '500Mi' }, graceMs: 0, kind: 'hard' },
    ],
    pressureTransitionMs: 300_000,
    maxPodGraceSeconds: 0,
  },
  imageGc: { highPercent: 100, lowPercent: 80, minimumAgeMs: 120_000, maximumAgeMs: 0 },
  containerLogMaxBytes: 10 * 1024 * 1024,
  containerLogMaxFiles: 5,
  maxRestartBackoffMs: 300_000,
  shutdownGrace: [],
  staticPodPath: undefined,
  allowedUnsafeSysctls: [],
  seccompDefault: false,
};

/** What is left for pods of a node's capacity: without what is reserved and what hard thresholds keep free. */
export function allocatableOf(
  capacity: Readonly<Record<string, string>>,
  settings: Pick<NodeSettings, 'kubeReserved' | 'systemReserved' | 'eviction'>,
): Readonly<Record<string, string>> {
  const kept = (resource: string, total: number): number => {
    const signal = { memory: 'memory.available', 'ephemeral-storage': 'nodefs.available' }[resource];
    const hard = settings.eviction.thresholds.find((one) => one.kind === 'hard' && one.signal === signal);
    const { kubeReserved, systemReserved } = settings;
    return (
      amount(resource, kubeReserved[resource]) +
      amount(resource, systemReserved[resource]) +
      (hard ? quantityOf(hard.at, total) : 0)
    );
  };
  return Object.fromEntries(
    Object.entries(capacity).map(([resource, total]) => {
      const all = amount(resource, total);
      const less = kept(resource, all);
      return [resource, less === 0 ? total : quantityText(resource, Math.max(0, all - less))];
    }),
  );
}

function quantityText(resource: string, value: number): string {
  if (resource === 'cpu') return formatQuantity(parseQuantity(`${value}m`));
  return value % 1024 === 0 ? `${value / 1024}Ki` : String(value);
}
