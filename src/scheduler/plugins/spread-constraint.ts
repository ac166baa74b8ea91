import type { Pod, TopologySpreadConstraint } from '../../api/core/v1.gen.ts';
import { selectorFrom, type Selector } from '../../machinery/selectors/label-selector.ts';
import type { PluginArgs } from '../config/plugin-args.ts';

/** A topology spread constraint with its defaults filled in. */
export interface SpreadConstraint {
  readonly maxSkew: number;
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly minDomains: number;
  readonly honorAffinity: boolean;
  readonly honorTaints: boolean;
}

export type SpreadMode = 'DoNotSchedule' | 'ScheduleAnyway';

const systemConstraints: readonly TopologySpreadConstraint[] = [
  { topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 5 },
];

/**
 * The constraints of one mode that apply to a pod: its own, or the default ones with the selector of what owns and
 * serves it (`defaultSelector`, asked only then; one without requirements means that no default applies).
 */
export function spreadConstraints(
  pod: Pod,
  mode: SpreadMode,
  {
    args,
    defaultSelector,
  }: {
    readonly args: PluginArgs['PodTopologySpread'];
    readonly defaultSelector: (pod: Pod) => Selector;
  },
): readonly SpreadConstraint[] {
  const own = pod.spec.topologySpreadConstraints ?? [];
  if (own.length > 0) {
    return own
      .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === mode)
      .map((constraint) => withDefaults(constraint, ownSelector(constraint, pod)));
  }
  const defaults = (args.defaultingType === 'System' ? systemConstraints : args.defaultConstraints).filter(
    ({ whenUnsatisfiable }) => whenUnsatisfiable === mode,
  );
  if (defaults.length === 0) return [];
  const selector = defaultSelector(pod);
  if (selector.requirements.length === 0) return [];
  return defaults.map((constraint) => withDefaults(constraint, selector));
}

function withDefaults(constraint: TopologySpreadConstraint, selector: Selector): SpreadConstraint {
  return {
    maxSkew: constraint.maxSkew,
    topologyKey: constraint.topologyKey,
    selector,
    minDomains: constraint.minDomains ?? 1,
    honorAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
    honorTaints: constraint.nodeTaintsPolicy === 'Honor',
  };
}

/** The constraint's selector narrowed by the pod's own values of `matchLabelKeys` (KEP-3243). */
function ownSelector({ labelSelector, matchLabelKeys }: TopologySpreadConstraint, pod: Pod): Selector {
  const own = (matchLabelKeys ?? []).flatMap((key) => {
    const value = pod.metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator: 'In', values: [value] }];
  });
  if (!labelSelector || own.length === 0) return selectorFrom(labelSelector);
  return selectorFrom({
    ...labelSelector,
    matchExpressions: [...(labelSelector.matchExpressions ?? []), ...own],
  });
}
