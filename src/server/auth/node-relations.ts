import {
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../api/core/v1.gen.ts';
import {
  podClaimNames,
  podConfigMapNames,
  podSecretNames,
  volumeSecrets,
} from '../../api/core/pod-references.ts';
import { resourceslices, type ResourceSlice } from '../../api/resource/v1.gen.ts';
import { volumeattachments, type VolumeAttachment } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { Lookup } from '../admission/lookup.ts';

/** What a node may be related to, because of the pods that are bound to it. */
export type RelatedKind =
  | 'pod'
  | 'secret'
  | 'configMap'
  | 'persistentVolumeClaim'
  | 'persistentVolume'
  | 'resourceClaim'
  | 'serviceAccount'
  | 'volumeAttachment'
  | 'resourceSlice';

/** Says whether an object is related to a node, as upstream's graph of the node authorizer does. */
export interface NodeRelations {
  isRelated(node: string, kind: RelatedKind, object: ObjectName): boolean;
}

interface ObjectName {
  /** Empty for what is in no namespace. */
  readonly namespace: string;
  readonly name: string;
}

const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Relations as the caches have them now. */
export function createNodeRelations(
  lookup: Lookup,
  podsOn: (node: string) => Iterable<Live<Pod>>,
): NodeRelations {
  return {
    isRelated(node, kind, object) {
      if (kind === 'volumeAttachment')
        return lookup.get<VolumeAttachment>(volumeattachments, '', object.name)?.spec.nodeName === node;
      if (kind === 'resourceSlice')
        return lookup.get<ResourceSlice>(resourceslices, '', object.name)?.spec.nodeName === node;
      for (const pod of podsOn(node)) if (uses(pod, kind, object)) return true;
      return false;
    },
  };

  function uses(pod: Live<Pod>, kind: RelatedKind, { namespace, name }: ObjectName): boolean {
    const { metadata, spec } = pod;
    const isHere = metadata.namespace === namespace;
    if (kind === 'pod') return isHere && metadata.name === name;
    // What a static pod reads, its node has from elsewhere.
    if (metadata.annotations?.[mirrorAnnotation] !== undefined) return false;
    switch (kind) {
      case 'secret':
        return (
          (isHere && podSecretNames(spec).includes(name)) ||
          volumesOf(pod).some((volume) =>
            volumeSecrets(volume.spec ?? {}, volume.spec?.claimRef?.namespace ?? '').some(
              (secret) => secret.namespace === namespace && secret.name === name,
            ),
          )
        );
      case 'configMap':
        return isHere && podConfigMapNames(spec).includes(name);
      case 'persistentVolumeClaim':
        return isHere && podClaimNames(metadata.name, spec).includes(name);
      case 'persistentVolume':
        return volumesOf(pod).some((volume) => volume.metadata.name === name);
      case 'serviceAccount':
        return isHere && spec.serviceAccountName === name;
      case 'resourceClaim':
        return isHere && resourceClaimNames(pod).includes(name);
      default:
        return false;
    }
  }

  /** The volumes that are bound to the pod's claims, both saying so. */
  function volumesOf({ metadata, spec }: Live<Pod>): readonly Live<PersistentVolume>[] {
    const { namespace = '' } = metadata;
    return podClaimNames(metadata.name, spec).flatMap((claimName) => {
      const claim = lookup.get<PersistentVolumeClaim>(persistentvolumeclaims, namespace, claimName);
      const volumeName = claim?.spec?.volumeName;
      const volume = volumeName ? lookup.get<PersistentVolume>(persistentvolumes, '', volumeName) : undefined;
      const { claimRef } = volume?.spec ?? {};
      return volume && claimRef?.namespace === namespace && claimRef.name === claimName ? [volume] : [];
    });
  }
}

function resourceClaimNames({ spec, status }: Pod): (string | undefined)[] {
  return [
    ...(spec.resourceClaims ?? []).map(({ resourceClaimName }) => resourceClaimName),
    ...(status?.resourceClaimStatuses ?? []).map(({ resourceClaimName }) => resourceClaimName),
    status?.extendedResourceClaimStatus?.resourceClaimName,
  ];
}
