import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';

/** What may be done to empty a node, as `kubectl drain`'s flags say it. */
export interface DrainPolicy {
  readonly ignoreDaemonsets: boolean;
  readonly deleteEmptydirData: boolean;
  readonly force: boolean;
}

/** Which pods go, and what stands in the way. */
export interface DrainPlan {
  readonly pods: readonly Live<Pod>[];
  readonly warnings: readonly string[];
  /** Any of these: nothing is to be done. */
  readonly errors: readonly string[];
}

type Verdict =
  | { readonly action: 'delete' | 'leave' }
  | { readonly action: 'delete' | 'leave' | 'refuse'; readonly say: string };

const mirrorAnnotation = 'kubernetes.io/config.mirror';

/**
 * Decides about the pods of a node by the rules of `kubectl drain`: mirror pods stay; daemon sets' pods stay or stand in
 * the way; pods with local storage or without a controller need a word; those that ended go anyway.
 */
export function planDrain(
  pods: readonly Live<Pod>[],
  policy: DrainPolicy,
  daemonSets: ReadonlySet<string>,
): DrainPlan {
  const leaving: Live<Pod>[] = [];
  const said = new Map<string, { readonly refuse: boolean; readonly names: string[] }>();
  for (const pod of pods) {
    const verdicts = verdictsOn(pod, policy, daemonSets);
    const final = verdicts.find(({ action }) => action !== 'delete') ?? verdicts.at(-1);
    if (final?.action === 'delete' || final === undefined) leaving.push(pod);
    for (const verdict of final && final.action !== 'delete' ? [final] : verdicts) {
      if (!('say' in verdict)) continue;
      const entry = said.get(verdict.say) ?? { refuse: verdict.action === 'refuse', names: [] };
      entry.names.push(`${pod.metadata.namespace}/${pod.metadata.name}`);
      said.set(verdict.say, entry);
    }
  }
  const lines = [...said].map(([text, { refuse, names }]) => ({
    refuse,
    text: `${text}: ${names.join(', ')}`,
  }));
  return {
    pods: leaving,
    warnings: lines.filter(({ refuse }) => !refuse).map(({ text }) => text),
    errors: lines.filter(({ refuse }) => refuse).map(({ text }) => text),
  };
}

function verdictsOn(
  pod: Live<Pod>,
  policy: DrainPolicy,
  daemonSets: ReadonlySet<string>,
): readonly Verdict[] {
  const { metadata, spec, status } = pod;
  if (metadata.annotations?.[mirrorAnnotation] !== undefined) return [{ action: 'leave' }];
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const verdicts: Verdict[] = [];
  if (controller?.kind === 'DaemonSet' && !ended) {
    if (daemonSets.has(controller.uid))
      return policy.ignoreDaemonsets
        ? [{ action: 'leave', say: 'ignoring DaemonSet-managed Pods' }]
        : [
            {
              action: 'refuse',
              say: 'cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)',
            },
          ];
    if (!policy.force)
      return [
        { action: 'refuse', say: 'cannot delete Pods whose DaemonSet is gone (use --force to override)' },
      ];
  }
  const local = (spec?.volumes ?? []).some(({ emptyDir }) => emptyDir !== undefined);
  if (local && !ended)
    verdicts.push(
      policy.deleteEmptydirData
        ? { action: 'delete' }
        : {
            action: 'refuse',
            say: 'cannot delete Pods with local storage (use --delete-emptydir-data to override)',
          },
    );
  if (!controller && !ended)
    verdicts.push(
      policy.force
        ? { action: 'delete', say: 'deleting Pods that declare no controller' }
        : {
            action: 'refuse',
            say: 'cannot delete Pods that declare no controller (use --force to override)',
          },
    );
  return verdicts.length > 0 ? verdicts : [{ action: 'delete' }];
}
