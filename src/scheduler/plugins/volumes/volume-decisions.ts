import { boundByController, selectedNode, type Claim, type ClaimedVolume } from './claim-volumes.ts';

/** The volume as the scheduler will write it: promised to the claim. */
export function assumedVolume(volume: ClaimedVolume, claim: Claim): ClaimedVolume {
  const { namespace = '', name, uid, resourceVersion } = claim.metadata;
  const { claimRef } = volume.spec;
  if (claimRef?.uid === uid) return volume;
  const named = claimRef !== undefined && claimRef.name === name && claimRef.namespace === namespace;
  return {
    ...volume,
    metadata: named
      ? volume.metadata
      : {
          ...volume.metadata,
          annotations: { ...volume.metadata.annotations, [boundByController]: 'yes' },
        },
    spec: {
      ...volume.spec,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
    },
  };
}

/** The claim as the scheduler will write it: to be provisioned where the node reaches it. */
export function assumedClaim(claim: Claim, nodeName: string): Claim {
  if (claim.metadata.annotations?.[selectedNode] === nodeName) return claim;
  return {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: { ...claim.metadata.annotations, [selectedNode]: nodeName },
    },
  };
}
