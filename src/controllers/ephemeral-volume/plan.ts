import type { PersistentVolumeClaim, Pod, Volume } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { controllerOf, controllerReference } from '../../reconcile/owner.ts';

/** What is to be done for one ephemeral volume of a pod. */
export type EphemeralPlan =
  | { readonly do: 'create'; readonly claim: PersistentVolumeClaim }
  /** A claim of the name is there that was not made for the pod. */
  | { readonly do: 'refuse'; readonly why: string };

/** Decides about every generic ephemeral volume of a pod; those whose claim is there need nothing. */
export function planEphemeralClaims(
  pod: Live<Pod>,
  claim: (name: string) => Live<PersistentVolumeClaim> | undefined,
): readonly { readonly volume: string; readonly plan: EphemeralPlan }[] {
  if (pod.metadata.deletionTimestamp !== undefined) return [];
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    const plan = planVolume(pod, volume, claim);
    return plan ? [{ volume: volume.name, plan }] : [];
  });
}

function planVolume(
  pod: Live<Pod>,
  { name, ephemeral }: Volume,
  claim: (name: string) => Live<PersistentVolumeClaim> | undefined,
): EphemeralPlan | undefined {
  const template = ephemeral?.volumeClaimTemplate;
  if (!template) return undefined;
  const { namespace = '' } = pod.metadata;
  const claimName = `${pod.metadata.name}-${name}`;
  const held = claim(claimName);
  if (held) {
    if (controllerOf(held)?.uid === pod.metadata.uid) return undefined;
    const why = `PVC "${namespace}/${claimName}" was not created for pod "${namespace}/${pod.metadata.name}" (pod is not owner)`;
    return { do: 'refuse', why };
  }
  const { annotations, labels } = template.metadata ?? {};
  return {
    do: 'create',
    claim: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        namespace,
        name: claimName,
        ownerReferences: [controllerReference(pod)],
        ...(annotations && { annotations }),
        ...(labels && { labels }),
      },
      spec: template.spec,
    },
  };
}
