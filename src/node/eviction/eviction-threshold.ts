import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';

/** What can run short on a node. */
export type EvictionSignal =
  | 'memory.available'
  | 'nodefs.available'
  | 'nodefs.inodesFree'
  | 'imagefs.available'
  | 'imagefs.inodesFree'
  | 'pid.available';

export const evictionSignals: readonly EvictionSignal[] = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
];

/** An amount, or a share of what there is. */
export type ThresholdAmount = { readonly quantity: string } | { readonly percent: number };

/** Below which amount of something pods are evicted. */
export interface EvictionThreshold {
  readonly signal: EvictionSignal;
  readonly at: ThresholdAmount;
  readonly kind: 'hard' | 'soft';
  /** How long it must be met before a pod goes; 0 for a hard threshold. */
  readonly graceMs: number;
  /** How much beyond the threshold must be free again before it counts as no longer met. */
  readonly minReclaim?: ThresholdAmount;
}

/** Throws `RangeError` when the text is neither a quantity nor a percentage. */
export function parseThresholdAmount(text: string): ThresholdAmount {
  if (text.endsWith('%')) {
    const percent = Number(text.slice(0, -1));
    if (text.length < 2 || Number.isNaN(percent) || percent < 0 || percent > 100)
      throw new RangeError(`${text} is no percentage from 0% to 100%`);
    return { percent };
  }
  parseQuantity(text);
  return { quantity: text };
}

/** The amount in whole units, of `capacity` when it is a share. */
export function quantityOf(amount: ThresholdAmount, capacity: number): number {
  if ('percent' in amount) return Math.floor((capacity * amount.percent) / 100);
  return Number(quantityValue(parseQuantity(amount.quantity)));
}

/** The node's condition that says that a signal is low. */
export function pressureOf(signal: EvictionSignal): 'MemoryPressure' | 'DiskPressure' | 'PIDPressure' {
  if (signal === 'memory.available') return 'MemoryPressure';
  return signal === 'pid.available' ? 'PIDPressure' : 'DiskPressure';
}

/** The resource that a signal is about, as messages name it. */
export function resourceOf(signal: EvictionSignal): 'memory' | 'pids' | 'inodes' | 'ephemeral-storage' {
  if (signal === 'memory.available') return 'memory';
  if (signal === 'pid.available') return 'pids';
  return signal.endsWith('inodesFree') ? 'inodes' : 'ephemeral-storage';
}
