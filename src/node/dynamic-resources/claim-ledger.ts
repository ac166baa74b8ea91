import { join } from 'node:path';
import { readIfPresent, writeState } from '../runtimes/state-file.ts';
import type { DraDevice } from './dra-protocol.ts';

/** A claim whose devices a driver has prepared, or may have. */
export interface LedgerClaim {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** What each driver has prepared. */
  readonly devices: Readonly<Record<string, readonly DraDevice[]>>;
  /** Uids of the pods that use it. */
  readonly pods: readonly string[];
}

/** The claims of a node's pods, and the drivers that it has heard of; both outlive the agent. */
export interface ClaimLedger {
  recover(): Promise<void>;
  get(namespace: string, name: string): LedgerClaim | undefined;
  all(): readonly LedgerClaim[];
  ofPod(uid: string): readonly LedgerClaim[];
  /** Resolves when it is on disk. */
  put(claims: readonly LedgerClaim[]): Promise<void>;
  remove(claims: readonly LedgerClaim[]): Promise<void>;
  readonly drivers: ReadonlySet<string>;
  addDriver(name: string): Promise<void>;
  removeDriver(name: string): Promise<void>;
  /** Whether this agent has had the claim prepared: what an earlier one had, a driver may have forgotten. */
  readonly prepared: Set<string>;
}

/** The ledger in a node's folder. */
export function createClaimLedger(directory: string): ClaimLedger {
  const file = join(directory, 'dra_manager_state');
  const claims = new Map<string, LedgerClaim>();
  const drivers = new Set<string>();
  const prepared = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  function save(): Promise<void> {
    const write = (): Promise<void> =>
      writeState(file, { drivers: [...drivers], claims: [...claims.values()] });
    const result = writing.then(write, write);
    writing = result;
    return result;
  }

  return {
    prepared,
    drivers,
    async recover() {
      const text = await readIfPresent(file);
      if (text === undefined) return;
      const state = JSON.parse(text) as {
        readonly drivers: readonly string[];
        readonly claims: readonly LedgerClaim[];
      };
      for (const name of state.drivers) drivers.add(name);
      for (const claim of state.claims) claims.set(keyOf(claim), claim);
    },
    get: (namespace, name) => claims.get(keyOf({ namespace, name })),
    all: () => [...claims.values()],
    ofPod: (uid) => [...claims.values()].filter(({ pods }) => pods.includes(uid)),
    put(changed) {
      for (const claim of changed) claims.set(keyOf(claim), claim);
      return save();
    },
    remove(gone) {
      for (const claim of gone) {
        claims.delete(keyOf(claim));
        prepared.delete(claim.uid);
      }
      return save();
    },
    async addDriver(name) {
      if (drivers.has(name)) return;
      drivers.add(name);
      await save();
    },
    async removeDriver(name) {
      if (drivers.delete(name)) await save();
    },
  };
}

/** `NAMESPACE/NAME`. */
export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
