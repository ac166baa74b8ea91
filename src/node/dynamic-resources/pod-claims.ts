import type { Clock } from '../../base/clock.ts';
import type { Container, Pod, ResourceStatus } from '../../api/core/v1.gen.ts';
import { claimNotMade, isReservedFor, notMadeFor, podClaimName } from '../../api/resource/pod-claim-name.ts';
import { resourceclaims, type ResourceClaim } from '../../api/resource/v1.gen.ts';
import type { Client } from '../../client/client.ts';
import type { Live } from '../../machinery/object.ts';
import { StatusError } from '../../machinery/status-error.ts';
import { PluginError } from '../plugins/plugin-connection.ts';
import type { PluginHandler } from '../plugins/plugin-registry.ts';
import { createClaimLedger, keyOf, type LedgerClaim } from './claim-ledger.ts';
import { cdiNames, claimUses, devicesFor, namedUses } from './claim-uses.ts';
import { createDraDrivers } from './dra-drivers.ts';
import type { DraClaim } from './dra-protocol.ts';
import { createExclusiveKeys } from './exclusive-keys.ts';

/** The devices of pods' resource claims on a node (the kubelet's manager of dynamic resources). */
export interface PodClaims {
  readonly drivers: PluginHandler;
  /** Learns what an earlier agent had prepared. */
  recover(): Promise<void>;
  /** Has a pod's claims prepared; idempotent. Throws `PluginError` with upstream's words. */
  prepare(pod: Live<Pod>): Promise<void>;
  /** Has the claims that only this pod uses taken back; idempotent. Throws `PluginError` when a driver cannot (now). */
  unprepare(podUid: string): Promise<void>;
  /** Whether a pod has claims that are not taken back. */
  holds(podUid: string): boolean;
  /** Takes back the claims of pods that are no longer on the node. */
  reconcile(podUids: ReadonlySet<string>): Promise<void>;
  /** How the devices are that a container gets, by claim. */
  health(pod: Pod, container: Container): readonly ResourceStatus[];
  /** CDI names of the devices that a container gets. Throws `PluginError` when its claims are not prepared. */
  cdiDevices(pod: Pod, container: Container): readonly string[];
  close(): void;
}

export interface PodClaimsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
  /** The node's. */
  readonly directory: string;
  /** A driver has registered: what failed without it may work now. */
  onDriver(): void;
  /** Devices have become better or worse. */
  onHealth(): void;
  onError(error: unknown): void;
}

/** Prepares claims by drivers that register with the node. */
export function createPodClaims(options: PodClaimsOptions): PodClaims {
  const { client, clock, nodeName, directory, onError } = options;
  const ledger = createClaimLedger(directory);
  const exclusively = createExclusiveKeys();
  const drivers = createDraDrivers({
    client,
    clock,
    nodeName,
    directory,
    async onRegistered(name) {
      await ledger.addDriver(name);
      options.onDriver();
    },
    onWiped: (name) => ledger.removeDriver(name),
    onHealth: () => options.onHealth(),
    onError,
  });

  async function claimsOf(pod: Live<Pod>): Promise<readonly Live<ResourceClaim>[]> {
    const claims: Live<ResourceClaim>[] = [];
    for (const use of pod.spec.resourceClaims ?? []) {
      const name = podClaimName(pod, use);
      if (name === undefined) throw new PluginError(claimNotMade(pod));
      if (name === '') continue;
      const claim = await fetch(pod, name);
      const refusal = use.resourceClaimName === undefined ? notMadeFor(pod, claim) : undefined;
      if (refusal !== undefined) throw new PluginError(refusal);
      claims.push(claim);
    }
    const extended = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
    if (extended !== undefined) claims.push(await fetch(pod, extended));
    return claims;
  }

  async function fetch(pod: Live<Pod>, name: string): Promise<Live<ResourceClaim>> {
    const { namespace = '', name: podName, uid } = pod.metadata;
    try {
      const claim = await client.for(resourceclaims).get({ namespace, name });
      if (isReservedFor(claim, uid)) return claim;
      throw new PluginError(
        `pod ${podName} (${uid}) is not allowed to use ResourceClaim ${name} (${claim.metadata.uid})`,
      );
    } catch (cause) {
      if (!(cause instanceof StatusError)) throw cause;
      throw new PluginError(`fetch ResourceClaim ${name}: ${cause.message}`, { cause });
    }
  }

  /** The claim as the ledger has it, or will, with the pod among its users. */
  function entry(claim: Live<ResourceClaim>, podUid: string): LedgerClaim {
    const { namespace = '', name, uid } = claim.metadata;
    const held = ledger.get(namespace, name);
    if (held && held.uid !== uid)
      throw new PluginError(
        `old ResourceClaim with same name ${name} and different UID ${held.uid} still exists (previous pod force-deleted?!)`,
      );
    const pods = [...new Set([...(held?.pods ?? []), podUid])];
    const devices = held?.devices ?? Object.fromEntries(driversOf(claim).map((driver) => [driver, []]));
    return { namespace, name, uid, devices, pods };
  }

  async function prepareAll(pod: Live<Pod>, claims: readonly Live<ResourceClaim>[]): Promise<void> {
    for (const driver of claims.flatMap(driversOf)) drivers.driver(driver);
    const entries = claims.map((claim) => entry(claim, pod.metadata.uid));
    await ledger.put(entries);
    const due = entries.filter(({ uid }) => !ledger.prepared.has(uid));
    for (const [driver, batch] of batches(due)) {
      const { claims: answers } = await call('NodePrepareResources', () =>
        drivers.driver(driver).call('NodePrepareResources', { claims: batch }),
      );
      checkAnswers('NodePrepareResources', batch, answers);
      const changed = batch.flatMap((claim) => {
        const held = ledger.get(claim.namespace, claim.name);
        const devices = answers[claim.uid]?.devices ?? [];
        return held ? [{ ...held, devices: { ...held.devices, [driver]: devices } }] : [];
      });
      await ledger.put(changed);
    }
    for (const { uid } of due) ledger.prepared.add(uid);
  }

  async function unprepareAll(podUid: string): Promise<void> {
    const claims = ledger.ofPod(podUid);
    const shared = claims.filter(({ pods }) => pods.length > 1);
    const own = claims.filter(({ pods }) => pods.length === 1);
    if (shared.length > 0)
      await ledger.put(
        shared.map((claim) => ({ ...claim, pods: claim.pods.filter((uid) => uid !== podUid) })),
      );
    for (const [driver, batch] of batches(own)) {
      const { claims: answers } = await call('NodeUnprepareResources', () =>
        drivers.driver(driver).call('NodeUnprepareResources', { claims: batch }),
      );
      checkAnswers('NodeUnprepareResources', batch, answers);
    }
    if (own.length > 0) await ledger.remove(own);
  }

  const unprepare = (podUid: string): Promise<void> => {
    const keys = ledger.ofPod(podUid).map(keyOf);
    return keys.length === 0 ? Promise.resolve() : exclusively(keys, () => unprepareAll(podUid));
  };

  return {
    drivers,
    async recover() {
      await ledger.recover();
      drivers.expect([...ledger.drivers]);
    },
    async prepare(pod) {
      if (!pod.spec.resourceClaims && !pod.status?.extendedResourceClaimStatus) return;
      const claims = await claimsOf(pod);
      const keys = claims.map(({ metadata: { namespace = '', name } }) => keyOf({ namespace, name }));
      await exclusively(keys, () => prepareAll(pod, claims));
    },
    unprepare,
    holds: (podUid) => ledger.ofPod(podUid).length > 0,
    async reconcile(podUids) {
      const gone = new Set(ledger.all().flatMap(({ pods }) => pods.filter((uid) => !podUids.has(uid))));
      for (const uid of gone) {
        try {
          await unprepare(uid);
        } catch (error) {
          onError(error);
        }
      }
    },
    health(pod, container) {
      const { namespace = '' } = pod.metadata;
      return namedUses(pod, container).flatMap(({ use, claimName, request }): readonly ResourceStatus[] => {
        const claim = ledger.get(namespace, claimName);
        const devices = claim ? devicesFor(claim, request) : [];
        const resources = devices.map(({ driver, device }) => ({
          resourceID: device.cdi_device_ids[0] ?? `${driver}/${device.pool_name}/${device.device_name}`,
          health: drivers.health(driver, device),
        }));
        const once = new Map(resources.toReversed().map((one) => [one.resourceID, one]));
        const name = request === undefined ? `claim:${use}` : `claim:${use}/${request}`;
        return once.size === 0 ? [] : [{ name, resources: [...once.values()].toReversed() }];
      });
    },
    cdiDevices(pod, container) {
      const { namespace = '' } = pod.metadata;
      const names = claimUses(pod, container).flatMap(({ claimName, request }) => {
        const claim = ledger.get(namespace, claimName);
        if (!claim)
          throw new PluginError(
            `unable to get claim info for ResourceClaim ${claimName} in namespace ${namespace}`,
          );
        return cdiNames(claim, request);
      });
      return [...new Set(names)];
    },
    close: () => drivers.close(),
  };
}

function driversOf({ metadata: { name }, status }: Live<ResourceClaim>): readonly string[] {
  if (!status?.allocation) throw new PluginError(`ResourceClaim ${name}: not allocated`);
  return [...new Set((status.allocation.devices?.results ?? []).map(({ driver }) => driver))];
}

/** Claims by the drivers that they have devices of. */
function batches(claims: readonly LedgerClaim[]): ReadonlyMap<string, readonly DraClaim[]> {
  const found = new Map<string, DraClaim[]>();
  for (const { namespace, name, uid, devices } of claims)
    for (const driver of Object.keys(devices)) {
      const batch = found.get(driver) ?? [];
      batch.push({ namespace, name, uid });
      found.set(driver, batch);
    }
  return found;
}

/** A driver's failure, with the name of what it was asked for. */
async function call<T>(method: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof PluginError) || error.cause === undefined) throw error;
    throw new PluginError(`${method}: ${error.message}`, { cause: error.cause });
  }
}

function checkAnswers(
  method: string,
  asked: readonly DraClaim[],
  answers: Readonly<Record<string, { readonly error: string }>>,
): void {
  const entries = Object.entries(answers);
  for (const [uid, { error }] of entries) {
    const claim = asked.find((one) => one.uid === uid);
    if (!claim) throw new PluginError(`${method} returned result for unknown claim UID ${uid}`);
    if (error !== '') throw new PluginError(`${method} failed for ResourceClaim ${claim.name}: ${error}`);
  }
  const skipped = asked.length - entries.length;
  if (skipped > 0) throw new PluginError(`${method} skipped ${skipped} ResourceClaims`);
}
