import type { TopologySpreadConstraint } from '../../api/core/v1.gen.ts';
import { validateAffinity } from '../../api/core/pod-spec/validate-affinity.ts';
import { decodeValue } from '../../machinery/schema/decode.ts';
import { DecodeError } from '../../machinery/schema/decode-error.ts';
import { kubernetesSchema } from '../../machinery/schema/table.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import type { ConfigReader } from './config-reader.ts';
import {
  defaultPluginArgs,
  type PluginArgs,
  type ResourceWeight,
  type ScoringStrategy,
  type ShapePoint,
} from './plugin-args.ts';

type Changeable = { -readonly [K in keyof PluginArgs]: PluginArgs[K] };
type ReadArgs = (args: ConfigReader, into: Changeable) => void;

/** How the arguments of each plug-in that has any are read; defaults and limits are upstream's. */
const readers: ReadonlyMap<string, ReadArgs> = new Map<string, ReadArgs>([
  [
    'DefaultPreemption',
    (args, into) => {
      const { minCandidateNodesPercentage: percentage, minCandidateNodesAbsolute: absolute } =
        into.DefaultPreemption;
      const read = {
        minCandidateNodesPercentage: ranged(args, 'minCandidateNodesPercentage', [0, 100]) ?? percentage,
        minCandidateNodesAbsolute: atLeast(args, 'minCandidateNodesAbsolute', 0) ?? absolute,
      };
      if (read.minCandidateNodesAbsolute === 0 && read.minCandidateNodesPercentage === 0)
        args.problem(
          'minCandidateNodesPercentage',
          'cannot be zero at the same time as minCandidateNodesAbsolute',
        );
      into.DefaultPreemption = read;
    },
  ],
  [
    'DynamicResources',
    (args, into) => {
      const { filterTimeoutMs, bindingTimeoutMs } = into.DynamicResources;
      into.DynamicResources = {
        filterTimeoutMs: args.duration('filterTimeout') ?? filterTimeoutMs,
        bindingTimeoutMs: args.duration('bindingTimeout') ?? bindingTimeoutMs,
      };
      if (into.DynamicResources.bindingTimeoutMs < 1000)
        args.problem('bindingTimeout', 'must be at least 1 second');
    },
  ],
  [
    'InterPodAffinity',
    (args, into) => {
      const { hardPodAffinityWeight, ignorePreferredTermsOfExistingPods } = into.InterPodAffinity;
      into.InterPodAffinity = {
        hardPodAffinityWeight: ranged(args, 'hardPodAffinityWeight', [0, 100]) ?? hardPodAffinityWeight,
        ignorePreferredTermsOfExistingPods:
          args.flag('ignorePreferredTermsOfExistingPods') ?? ignorePreferredTermsOfExistingPods,
      };
    },
  ],
  ['NodeAffinity', readNodeAffinity],
  [
    'NodeResourcesBalancedAllocation',
    (args, into) => {
      const resources = weights(args, 'resources');
      if (!resources) return;
      const seen = new Set<string>();
      for (const [index, { name, weight }] of resources.entries()) {
        if (seen.has(name)) args.problem(`resources[${index}].name`, `Duplicate value: "${name}"`);
        seen.add(name);
        if (weight !== 1) args.problem(`resources[${index}].weight`, `Invalid value: ${weight}: must be 1`);
      }
      into.NodeResourcesBalancedAllocation = { resources };
    },
  ],
  ['NodeResourcesFit', readResourcesFit],
  ['PodTopologySpread', readTopologySpread],
  [
    'VolumeBinding',
    (args, into) => {
      const { bindTimeoutSeconds } = into.VolumeBinding;
      into.VolumeBinding = {
        bindTimeoutSeconds: atLeast(args, 'bindTimeoutSeconds', 0) ?? bindTimeoutSeconds,
      };
      if (args.raw('shape') !== undefined)
        args.problem(
          'shape',
          'Forbidden: remove it: the feature StorageCapacityScoring is switched off in Kubernetes 1.36',
        );
    },
  ],
]);

/** Reads `pluginConfig` of a profile; what is not given has upstream's defaults. */
export function readPluginArgs(configs: readonly ConfigReader[], known: ReadonlySet<string>): PluginArgs {
  const into: Changeable = defaultPluginArgs();
  const seen = new Set<string>();
  for (const config of configs) {
    const name = config.text('name') ?? '';
    if (seen.has(name)) config.problem('name', `Duplicate value: "${name}"`);
    seen.add(name);
    const args = config.object('args');
    config.end();
    const read = readers.get(name);
    if (!known.has(name)) config.problem('name', `there is no plug-in "${name}"`);
    else if (!read) {
      if (args) config.problem('args', `plug-in ${name} takes no arguments`);
    } else if (args) {
      const kind = args.text('kind') ?? `${name}Args`;
      if (kind !== `${name}Args`) args.problem('kind', `has to match plugin args: must be ${name}Args`);
      const version = args.text('apiVersion') ?? 'kubescheduler.config.k8s.io/v1';
      if (version !== 'kubescheduler.config.k8s.io/v1')
        args.problem('apiVersion', 'must be kubescheduler.config.k8s.io/v1');
      read(args, into);
      args.end();
    }
  }
  return into;
}

function readNodeAffinity(args: ConfigReader, into: Changeable): void {
  const raw = args.raw('addedAffinity');
  if (raw === undefined) return;
  const nodeAffinity = structured(args, 'addedAffinity', { value: raw, kind: 'NodeAffinity' });
  if (!nodeAffinity) return;
  const prefix = 'affinity.nodeAffinity';
  for (const { field, message } of validateAffinity({ nodeAffinity }, 'affinity'))
    args.problem(`addedAffinity${field.slice(prefix.length)}`, message);
  into.NodeAffinity = { addedAffinity: nodeAffinity };
}

function readResourcesFit(args: ConfigReader, into: Changeable): void {
  const ignoredResources = args.texts('ignoredResources') ?? [];
  const ignoredResourceGroups = args.texts('ignoredResourceGroups') ?? [];
  for (const [index, name] of ignoredResources.entries())
    for (const error of qualifiedNameErrors(name)) args.problem(`ignoredResources[${index}]`, error);
  for (const [index, group] of ignoredResourceGroups.entries())
    if (group.includes('/'))
      args.problem(`ignoredResourceGroups[${index}]`, "resource group name can't contain '/'");
  const strategy = args.object('scoringStrategy');
  into.NodeResourcesFit = {
    ignoredResources,
    ignoredResourceGroups,
    scoringStrategy: strategy ? scoringStrategy(strategy, into) : into.NodeResourcesFit.scoringStrategy,
  };
}

const strategies: readonly string[] = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'];

function scoringStrategy(reader: ConfigReader, defaults: PluginArgs): ScoringStrategy {
  const given = reader.text('type') ?? '';
  const ratio = reader.object('requestedToCapacityRatio');
  const resources = weights(reader, 'resources');
  reader.end();
  const type = strategies.find((one) => one === given) as ScoringStrategy['type'] | undefined;
  if (!type) {
    const supported = strategies.map((one) => `"${one}"`).join(', ');
    reader.problem('type', `Unsupported value: "${given}": supported values: ${supported}`);
  }
  const wanted = type === 'RequestedToCapacityRatio';
  if (ratio && !wanted)
    reader.problem('requestedToCapacityRatio', 'must be nil when type is not RequestedToCapacityRatio');
  if (!ratio && wanted)
    reader.problem('requestedToCapacityRatio', 'must be specified when type is RequestedToCapacityRatio');
  return {
    type: type ?? 'LeastAllocated',
    resources: resources ?? defaults.NodeResourcesFit.scoringStrategy.resources,
    ...(ratio && { requestedToCapacityRatio: { shape: shapeOf(ratio) } }),
  };
}

function shapeOf(reader: ConfigReader): readonly ShapePoint[] {
  const points = (reader.objects('shape') ?? []).map((point) => {
    const read = {
      utilization: ranged(point, 'utilization', [0, 100]) ?? 0,
      score: ranged(point, 'score', [0, 10]) ?? 0,
    };
    point.end();
    return read;
  });
  reader.end();
  if (points.length === 0) reader.problem('shape', 'Required value: at least one point must be specified');
  const unordered = points.findIndex(
    ({ utilization }, index) => index > 0 && utilization <= (points[index - 1]?.utilization ?? 0),
  );
  if (unordered > 0)
    reader.problem(`shape[${unordered}].utilization`, 'values must be sorted in increasing order');
  return points;
}

function readTopologySpread(args: ConfigReader, into: Changeable): void {
  const type = args.text('defaultingType') ?? 'System';
  if (type !== 'System' && type !== 'List') {
    args.problem('defaultingType', `Unsupported value: "${type}": supported values: "System", "List"`);
    return;
  }
  const raw = args.raw('defaultConstraints') ?? [];
  if (!Array.isArray(raw)) {
    args.problem('defaultConstraints', 'must be a list');
    return;
  }
  if (type === 'System' && raw.length > 0)
    args.problem('defaultingType', 'Invalid value: "System": when .defaultConstraints are not empty');
  const defaultConstraints = raw.flatMap((value: unknown, index) => {
    const path = `defaultConstraints[${index}]`;
    const constraint = structured(args, path, { value, kind: 'TopologySpreadConstraint' });
    return constraint ? [constraint as object as TopologySpreadConstraint] : [];
  });
  const seen = new Set<string>();
  for (const [
    index,
    { maxSkew, topologyKey, whenUnsatisfiable, labelSelector },
  ] of defaultConstraints.entries()) {
    const problem = (field: string, text: string): void =>
      args.problem(`defaultConstraints[${index}].${field}`, text);
    if (maxSkew <= 0) problem('maxSkew', `Invalid value: ${maxSkew}: not in valid range (0, inf)`);
    if (!topologyKey) problem('topologyKey', 'Required value: can not be empty');
    if (whenUnsatisfiable !== 'DoNotSchedule' && whenUnsatisfiable !== 'ScheduleAnyway')
      problem('whenUnsatisfiable', 'must be DoNotSchedule or ScheduleAnyway');
    if (labelSelector)
      problem(
        'labelSelector',
        'Forbidden: constraint must not define a selector, as they deduced for each pod',
      );
    const key = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(key)) args.problem(`defaultConstraints[${index}]`, `Duplicate value: "${key}"`);
    seen.add(key);
  }
  into.PodTopologySpread = { defaultConstraints, defaultingType: type };
}

function weights(reader: ConfigReader, name: string): readonly ResourceWeight[] | undefined {
  const list = reader.objects(name);
  if (!list || list.length === 0) return undefined;
  return list.map((one, index) => {
    const weight = one.whole('weight') || 1;
    const resource = one.text('name') ?? '';
    one.end();
    if (weight < 0 || weight > 100)
      reader.problem(
        `${name}[${index}].weight`,
        `Invalid value: ${weight}: resource weight of ${resource} not in valid range (0, 100]`,
      );
    return { name: resource, weight };
  });
}

/** A part of the core API, decoded strictly. */
function structured(
  reader: ConfigReader,
  name: string,
  { value, kind }: { readonly value: unknown; readonly kind: string },
): Record<string, unknown> | undefined {
  try {
    const schema = { table: kubernetesSchema(), message: `io.k8s.api.core.v1.${kind}` };
    const { object, strict } = decodeValue(value, schema);
    for (const problem of strict) reader.problem(name, `strict decoding error: ${problem}`);
    return object;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    reader.problem(name, error.message);
    return undefined;
  }
}

function ranged(
  reader: ConfigReader,
  name: string,
  [low, high]: readonly [number, number],
): number | undefined {
  const value = reader.whole(name);
  if (value !== undefined && (value < low || value > high))
    reader.problem(name, `Invalid value: ${value}: not in valid range [${low}, ${high}]`);
  return value;
}

function atLeast(reader: ConfigReader, name: string, low: number): number | undefined {
  const value = reader.whole(name);
  if (value !== undefined && value < low)
    reader.problem(name, `Invalid value: ${value}: not in valid range [${low}, inf)`);
  return value;
}
