import type { Node } from '../../../api/core/v1.gen.ts';
import type { StorageClass } from '../../../api/storage/v1.gen.ts';
import { compareQuantities } from '../../../machinery/quantity.ts';
import {
  classNameOf,
  selectedNode,
  type Claim,
  type ClaimedVolume,
  type PodClaims,
} from './claim-volumes.ts';
import { claimedSize, isReachable, volumeCandidates, type VolumeCandidates } from './volume-candidates.ts';
import { provisioningProblem, type ProvisioningLookup } from './volume-provisioning.ts';

/** What would be done for a pod's claims if it went to a node. */
export interface VolumeDecisions {
  readonly bindings: readonly { readonly claim: Claim; readonly volume: ClaimedVolume }[];
  readonly provisions: readonly Claim[];
}

/** Why a node cannot give a pod its volumes. */
export type VolumeConflict = 'node-affinity' | 'no-volume' | 'no-space' | 'missing-volume';

export interface VolumeLookup extends ProvisioningLookup {
  volume(name: string): ClaimedVolume | undefined;
  volumesOfClass(name: string): readonly ClaimedVolume[];
  storageClass(name: string): StorageClass | undefined;
}

/** Answers for each node, from what was looked up once for the pod. */
export type FindVolumes = (node: Node) => VolumeDecisions | readonly VolumeConflict[];

/** Prepares to look for the volumes of a pod's claims, of which none is `immediate`. */
export function volumeFinder({ bound, delayed }: PodClaims, lookup: VolumeLookup): FindVolumes {
  const boundVolumes = bound.map(({ spec }) => lookup.volume(spec.volumeName ?? ''));
  const unchosen = delayed
    .filter((claim) => chosenNode(claim) === undefined)
    .toSorted((a, b) => compareQuantities(claimedSize(a), claimedSize(b)))
    .map((claim): readonly [Claim, VolumeCandidates] => [
      claim,
      volumeCandidates(claim, lookup.volumesOfClass(classNameOf(claim))),
    ]);
  const chosen = delayed.filter((claim) => chosenNode(claim) !== undefined);
  return (node) => {
    const problem = boundProblem(boundVolumes, node);
    if (chosen.some((claim) => chosenNode(claim) !== node.metadata.name)) {
      return problem ? [problem, 'no-volume'] : ['no-volume'];
    }
    const taken = new Set<string>();
    const bindings: { readonly claim: Claim; readonly volume: ClaimedVolume }[] = [];
    const provisions = [...chosen];
    for (const [claim, candidates] of unchosen) {
      const volume = candidates.bestOn(node, taken);
      if (volume) {
        taken.add(volume.metadata.name);
        bindings.push({ claim, volume });
      } else provisions.push(claim);
    }
    for (const claim of provisions) {
      const storageClass = lookup.storageClass(classNameOf(claim));
      const conflict = storageClass
        ? provisioningProblem(claim, storageClass, { node, lookup })
        : 'no-volume';
      if (conflict) return problem ? [problem, conflict] : [conflict];
    }
    return problem ? [problem] : { bindings, provisions };
  };
}

function boundProblem(
  volumes: readonly (ClaimedVolume | undefined)[],
  node: Node,
): VolumeConflict | undefined {
  for (const volume of volumes) {
    if (!volume) return 'missing-volume';
    if (!isReachable(volume, node)) return 'node-affinity';
  }
  return undefined;
}

function chosenNode({ metadata }: Claim): string | undefined {
  return metadata.annotations?.[selectedNode];
}
