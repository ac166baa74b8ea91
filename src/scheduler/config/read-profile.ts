import type { ProfilePlan } from '../build-profile.ts';
import { extensionPoints, type ExtensionPoint } from '../profile.ts';
import type { ConfigReader } from './config-reader.ts';
import { defaultMultiPoint, type EnabledPlugin } from './default-profile.ts';
import { readPluginArgs } from './read-plugin-args.ts';

interface PluginSet {
  readonly enabled: readonly EnabledPlugin[];
  readonly disabled: ReadonlySet<string>;
}

/** Plug-ins that upstream had once. */
const removed: ReadonlySet<string> = new Set([
  'AzureDiskLimits',
  'CinderLimits',
  'EBSLimits',
  'GCEPDLimits',
  'SelectorSpread',
]);

/** What a profile reader needs to know of plug-ins. */
export interface KnownPlugins {
  readonly names: ReadonlySet<string>;
  implementsPoint(name: string, point: ExtensionPoint): boolean;
}

/**
 * Reads a profile: the default plug-ins, less what is disabled, plus what is enabled, for all extension points
 * (`multiPoint`) or single ones. At a single point those listed for it that `multiPoint` has too come first, in the
 * order listed; then the rest of `multiPoint`; then the rest of those listed.
 */
export function readProfile(reader: ConfigReader, known: KnownPlugins): ProfilePlan {
  const schedulerName = reader.text('schedulerName') ?? '';
  const percentage = reader.whole('percentageOfNodesToScore');
  if (percentage !== undefined && (percentage < 0 || percentage > 100))
    reader.problem('percentageOfNodesToScore', `Invalid value: ${percentage}: not in valid range [0-100]`);
  const plugins = reader.object('plugins');
  const multiPoint = merged(plugins && readSet(plugins, 'multiPoint', known));
  const points = Object.fromEntries(
    extensionPoints.map((point) => [point, pluginsAt(point, { plugins, multiPoint, known })]),
  ) as Record<ExtensionPoint, readonly EnabledPlugin[]>;
  plugins?.end();
  const args = readPluginArgs(reader.objects('pluginConfig') ?? [], known.names);
  reader.end();
  checkCounts(reader, points, schedulerName);
  return {
    schedulerName,
    points,
    args,
    ...(percentage !== undefined && { percentageOfNodesToScore: percentage }),
  };
}

function readSet(plugins: ConfigReader, point: string, known: KnownPlugins): PluginSet {
  const set = plugins.object(point);
  const enabled = (set?.objects('enabled') ?? []).map((one) => {
    const name = one.text('name') ?? '';
    const weight = one.whole('weight');
    one.end();
    if (removed.has(name)) one.problem('name', `plug-in "${name}" was removed from Kubernetes`);
    else if (!known.names.has(name)) one.problem('name', `plug-in "${name}" does not exist`);
    return { name, ...(weight !== undefined && { weight }) };
  });
  const disabled = (set?.objects('disabled') ?? []).map((one) => {
    const name = one.text('name') ?? '';
    one.whole('weight');
    one.end();
    if (name !== '*' && !known.names.has(name)) one.problem('name', `plug-in "${name}" does not exist`);
    return name;
  });
  set?.end();
  const twice = enabled.find(({ name }, index) => enabled.findIndex((one) => one.name === name) < index);
  if (set && twice) set.problem('enabled', `plug-in "${twice.name}" already registered`);
  return { enabled, disabled: new Set(disabled) };
}

/** The default plug-ins as changed by the profile's `multiPoint`. */
function merged(custom: PluginSet | undefined): readonly EnabledPlugin[] {
  if (!custom) return defaultMultiPoint;
  const { enabled, disabled } = custom;
  const kept = disabled.has('*') ? [] : defaultMultiPoint.filter(({ name }) => !disabled.has(name));
  const replaced = kept.map((plugin) => enabled.find(({ name }) => name === plugin.name) ?? plugin);
  return [...replaced, ...enabled.filter(({ name }) => !kept.some((plugin) => plugin.name === name))];
}

interface PointOptions {
  readonly plugins: ConfigReader | undefined;
  readonly multiPoint: readonly EnabledPlugin[];
  readonly known: KnownPlugins;
}

function pluginsAt(
  point: ExtensionPoint,
  { plugins, multiPoint, known }: PointOptions,
): readonly EnabledPlugin[] {
  const set = plugins && readSet(plugins, point, known);
  const everywhere = multiPoint.filter(({ name }) => known.implementsPoint(name, point));
  if (!plugins || !set) return everywhere;
  const { enabled, disabled } = set;
  for (const { name } of enabled) {
    if (known.names.has(name) && !known.implementsPoint(name, point))
      plugins.problem(`${point}.enabled`, `plug-in "${name}" does not extend ${point}`);
  }
  const rest = disabled.has('*')
    ? []
    : everywhere.filter(({ name }) => !disabled.has(name) && !enabled.some((one) => one.name === name));
  const overriding = enabled.filter(({ name }) => everywhere.some((one) => one.name === name));
  const added = enabled.filter((one) => !overriding.includes(one));
  return [...overriding, ...rest, ...added];
}

function checkCounts(
  reader: ConfigReader,
  { queueSort, bind }: ProfilePlan['points'],
  schedulerName: string,
): void {
  if (queueSort.length === 0)
    reader.problem('plugins.queueSort', `no queue sort plugin is enabled for profile "${schedulerName}"`);
  if (queueSort.length > 1) reader.problem('plugins.queueSort', 'only one queue sort plugin can be enabled');
  if (bind.length === 0)
    reader.problem('plugins.bind', `at least one bind plugin is needed for profile "${schedulerName}"`);
}
