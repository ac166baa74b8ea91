import { nodes, persistentvolumeclaims, persistentvolumes, pods } from '../../../api/core/v1.gen.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Client } from '../../../client/client.ts';
import type { InformerFactory } from '../../../reconcile/informer.ts';
import { compareResourceVersions } from '../../../reconcile/resource-version.ts';
import type { PodInfo } from '../../pod-info.ts';
import { waitUntil } from '../wait-until.ts';
import { isBound, selectedNode, type Claim, type ClaimedVolume } from './claim-volumes.ts';
import type { VolumeDecisions } from './find-volumes.ts';
import { isReachable } from './volume-candidates.ts';

export interface BindVolumesOptions {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly pod: PodInfo;
  readonly nodeName: string;
  readonly bindTimeoutSeconds: number;
}

/**
 * Writes what was decided and waits until the claims are bound. Throws when that fails, will not happen any more, or
 * takes longer than the time limit.
 */
export async function bindVolumes(decisions: VolumeDecisions, options: BindVolumesOptions): Promise<void> {
  const { client, informers, clock, signal, bindTimeoutSeconds } = options;
  const volumes: { readonly claim: Claim; readonly volume: ClaimedVolume }[] = [];
  const provisions: Claim[] = [];
  for (const { claim, volume } of decisions.bindings) {
    volumes.push({ claim, volume: await client.for(persistentvolumes).update(volume) });
  }
  for (const claim of decisions.provisions) {
    provisions.push(await client.for(persistentvolumeclaims).update(claim));
  }
  await waitUntil(() => isDone({ bindings: volumes, provisions }, options), {
    clock,
    signal,
    timeoutMs: bindTimeoutSeconds * 1000,
    timeoutMessage: 'binding volumes: context deadline exceeded',
    informers: [informers.for(persistentvolumes), informers.for(persistentvolumeclaims), informers.for(pods)],
  });
}

function isDone(
  { bindings, provisions }: VolumeDecisions,
  { informers, pod, nodeName }: BindVolumesOptions,
): boolean {
  const fail = (reason: string): never => {
    throw new Error(`binding volumes: ${reason}`);
  };
  const node = informers.for(nodes).get(undefined, nodeName);
  if (!node)
    return fail(`failed to get node ${JSON.stringify(nodeName)}: node ${JSON.stringify(nodeName)} not found`);
  if (informers.for(pods).get(pod.namespace, pod.name)?.metadata.uid !== pod.uid) {
    return fail(`pod does not exist any more: pod ${JSON.stringify(pod.name)} not found`);
  }
  for (const { claim, volume } of bindings) {
    const seen = informers.for(persistentvolumes).get(undefined, volume.metadata.name);
    if (!seen)
      return fail(
        `failed to check binding: could not find v1.PersistentVolume ${JSON.stringify(volume.metadata.name)}`,
      );
    if (isOlder(seen, volume)) return false;
    if (!isReachable(seen, node)) return fail(mismatch(seen, nodeName));
    if (!seen.spec.claimRef?.uid)
      return fail(`ClaimRef got reset for pv ${JSON.stringify(seen.metadata.name)}`);
    const current = currentClaim(claim, informers);
    if (!current) return fail(missing('failed to check binding', claim));
    if (!isBound(current)) return false;
  }
  for (const claim of provisions) {
    const current = currentClaim(claim, informers);
    if (!current) return fail(missing('failed to check provisioning pvc', claim));
    if (isOlder(current, claim)) return false;
    const name = JSON.stringify(current.metadata.name);
    if (!current.metadata.annotations) return fail(`selectedNode annotation reset for PVC ${name}`);
    if (current.metadata.annotations[selectedNode] !== nodeName)
      return fail(`provisioning failed for PVC ${name}`);
    if (current.spec.volumeName) {
      const volume = informers.for(persistentvolumes).get(undefined, current.spec.volumeName);
      if (!volume) return false;
      if (!isReachable(volume, node)) return fail(mismatch(volume, nodeName));
    }
    if (!isBound(current)) return false;
  }
  return true;
}

function currentClaim({ metadata }: Claim, informers: InformerFactory): Claim | undefined {
  return informers.for(persistentvolumeclaims).get(metadata.namespace, metadata.name);
}

function isOlder(a: Claim | ClaimedVolume, b: Claim | ClaimedVolume): boolean {
  return compareResourceVersions(a.metadata.resourceVersion, b.metadata.resourceVersion) < 0;
}

function mismatch({ metadata }: ClaimedVolume, nodeName: string): string {
  const volume = JSON.stringify(metadata.name);
  return `pv ${volume} node affinity doesn't match node ${JSON.stringify(nodeName)}: no matching NodeSelectorTerms`;
}

function missing(doing: string, { metadata }: Claim): string {
  const key = `${metadata.namespace ?? ''}/${metadata.name}`;
  return `${doing}: could not find v1.PersistentVolumeClaim ${JSON.stringify(key)}`;
}
