import type { StatefulSet } from '../../api/apps/v1.gen.ts';
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { podFromTemplate } from '../pods/pod-from-template.ts';

export const revisionLabel = 'controller-revision-hash';
const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const podIndexLabel = 'apps.kubernetes.io/pod-index';

/** The number at the end of a member's name; undefined when the name is not one of this set's. */
export function ordinalOf(set: StatefulSet, name: string): number | undefined {
  const digits = /^(.*)-([0-9]+)$/.exec(name);
  return digits?.[1] === set.metadata.name ? Number(digits?.[2]) : undefined;
}

/** The lowest number that a member may have. */
export function firstOrdinal({ spec }: StatefulSet): number {
  return spec.ordinals?.start ?? 0;
}

/** Whether a number is among those that the set's size asks for. */
export function isWanted(set: StatefulSet, ordinal: number): boolean {
  const first = firstOrdinal(set);
  return ordinal >= first && ordinal < first + (set.spec.replicas ?? 1);
}

/** The revision that a member was made from, by name. */
export function revisionOf({ metadata }: Pod): string | undefined {
  return metadata.labels?.[revisionLabel];
}

/** Member `ordinal`, made from `template`, as it is created. */
export function memberPod(
  set: Live<StatefulSet>,
  ordinal: number,
  { template, revision }: { readonly template: PodTemplateSpec; readonly revision: string },
): Pod {
  const name = memberName(set, ordinal);
  const { metadata, spec, ...pod } = podFromTemplate(template, set);
  const { generateName: _, ...rest } = metadata;
  return {
    ...pod,
    metadata: {
      ...rest,
      name,
      labels: { ...metadata.labels, ...identityLabels(name, ordinal), [revisionLabel]: revision },
    },
    spec: {
      ...spec,
      hostname: name,
      subdomain: set.spec.serviceName,
      volumes: withClaims(set, ordinal, spec.volumes),
    },
  };
}

/** A member with the labels and volumes that its place asks for; undefined when it has them. */
export function repairedMember(
  set: Live<StatefulSet>,
  ordinal: number,
  pod: Live<Pod>,
): Live<Pod> | undefined {
  const { name, labels } = pod.metadata;
  const named = labels?.[podNameLabel] === name;
  const mounted = claimsOf(set, ordinal).every(({ volume, claim }) =>
    pod.spec.volumes?.some(
      (one) => one.name === volume && one.persistentVolumeClaim?.claimName === claim.metadata.name,
    ),
  );
  if (named && mounted) return undefined;
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...labels, ...identityLabels(name, ordinal) } },
    spec: mounted ? pod.spec : { ...pod.spec, volumes: withClaims(set, ordinal, pod.spec.volumes) },
  };
}

export function memberName(set: StatefulSet, ordinal: number): string {
  return `${set.metadata.name ?? ''}-${ordinal}`;
}

/** The claims of member `ordinal` as they are created, and the volumes that use them. */
export function claimsOf(
  set: Live<StatefulSet>,
  ordinal: number,
): readonly { readonly volume: string; readonly claim: PersistentVolumeClaim }[] {
  const { spec } = set;
  const { name, namespace = '' } = set.metadata;
  return (spec.volumeClaimTemplates ?? []).map((template) => {
    const volume = template.metadata.name ?? '';
    const { labels, annotations, finalizers } = template.metadata;
    return {
      volume,
      claim: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name: `${volume}-${name}-${ordinal}`,
          namespace,
          labels: { ...labels, ...spec.selector.matchLabels },
          ...(annotations && { annotations }),
          ...(finalizers && { finalizers }),
          ...(spec.persistentVolumeClaimRetentionPolicy?.whenDeleted === 'Delete' && {
            ownerReferences: [controllerReference(set)],
          }),
        },
        spec: template.spec,
      },
    };
  });
}

function identityLabels(name: string, ordinal: number): Readonly<Record<string, string>> {
  return { [podNameLabel]: name, [podIndexLabel]: String(ordinal) };
}

function withClaims(
  set: Live<StatefulSet>,
  ordinal: number,
  volumes: readonly Volume[] = [],
): readonly Volume[] {
  const mounted = claimsOf(set, ordinal).map(({ volume, claim }) => ({
    name: volume,
    persistentVolumeClaim: { claimName: claim.metadata.name ?? '' },
  }));
  const names = new Set(mounted.map(({ name }) => name));
  return [...mounted, ...volumes.filter(({ name }) => !names.has(name))];
}
