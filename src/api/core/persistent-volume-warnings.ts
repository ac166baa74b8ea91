import { warnOfNodeLabel } from './deprecated-node-labels.ts';
import type { NodeSelector, PersistentVolume } from './v1.gen.ts';

const deprecatedSources: readonly (readonly [keyof PersistentVolume['spec'], string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

const deprecatedAnnotations: readonly (readonly [string, string])[] = [
  [
    'volume.beta.kubernetes.io/storage-class',
    'deprecated since v1.8; use "storageClassName" attribute instead',
  ],
  ['volume.beta.kubernetes.io/mount-options', 'deprecated since v1.31; use "mountOptions" attribute instead'],
];

/** Upstream's warnings about a volume: kinds and annotations that no longer work. */
export function persistentVolumeWarnings({ metadata, spec }: PersistentVolume): string[] {
  const warnings = selectorWarnings(spec.nodeAffinity?.required);
  for (const [annotation, detail] of deprecatedAnnotations) {
    if (metadata.annotations?.[annotation] !== undefined) {
      warnings.push(`metadata.annotations[${annotation}]: ${detail}`);
    }
  }
  if (spec.persistentVolumeReclaimPolicy === 'Recycle') {
    warnings.push(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  }
  for (const [source, detail] of deprecatedSources) {
    if (spec[source] !== undefined) warnings.push(`spec.${source}: ${detail}`);
  }
  return warnings;
}

function selectorWarnings(selector: NodeSelector | undefined): string[] {
  const field = 'spec.nodeAffinity.required.nodeSelectorTerms';
  return (selector?.nodeSelectorTerms ?? []).flatMap(({ matchExpressions = [] }, index) =>
    matchExpressions.flatMap(({ key }, position) =>
      warnOfNodeLabel(key, `${field}[${index}].matchExpressions[${position}].key`),
    ),
  );
}
