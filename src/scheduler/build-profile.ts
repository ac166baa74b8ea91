import { defaultMultiPoint, type EnabledPlugin } from './config/default-profile.ts';
import { defaultPluginArgs, type PluginArgs } from './config/plugin-args.ts';
import type { Handle, Plugin, PluginFactory } from './framework.ts';
import type { Nominator } from './nominator.ts';
import { extensionPoints, Profile, type ExtensionPoint, type ProfileOptions } from './profile.ts';

/** A profile as configured: which plug-ins are asked at each extension point, in which order. */
export interface ProfilePlan {
  readonly schedulerName: string;
  readonly points: Readonly<Record<ExtensionPoint, readonly EnabledPlugin[]>>;
  readonly args: PluginArgs;
  readonly percentageOfNodesToScore?: number;
}

export interface BuildOptions {
  readonly registry: readonly PluginFactory[];
  readonly handle: Handle;
  readonly nominator: Nominator;
  /** Makes the profile; a plain one when absent. */
  make?(options: ProfileOptions): Profile;
}

/** The default profile under a name. */
export function defaultProfilePlan(schedulerName: string = 'default-scheduler'): ProfilePlan {
  const points = Object.fromEntries(extensionPoints.map((point) => [point, defaultMultiPoint])) as Record<
    ExtensionPoint,
    readonly EnabledPlugin[]
  >;
  return { schedulerName, points, args: defaultPluginArgs() };
}

/** Makes the plug-ins of a profile. A plug-in listed for a point that it does not implement is passed over there. */
export function buildProfile(plan: ProfilePlan, options: BuildOptions): Profile {
  const { registry, handle, nominator, make = (made) => new Profile(made) } = options;
  const made = new Map<string, Plugin>();
  const weights = new Map<string, number>();
  const points = Object.fromEntries(extensionPoints.map((point) => [point, pluginsOf(point)])) as Record<
    ExtensionPoint,
    readonly Plugin[]
  >;
  const { schedulerName, percentageOfNodesToScore } = plan;
  return make({
    schedulerName,
    points,
    weights,
    snapshot: handle.snapshot,
    nominator,
    ...(percentageOfNodesToScore !== undefined && { percentageOfNodesToScore }),
  });

  function pluginsOf(point: ExtensionPoint): readonly Plugin[] {
    return plan.points[point].flatMap(({ name, weight }) => {
      const plugin = pluginNamed(name);
      if (!plugin || !implementsPoint(plugin, point)) return [];
      if (point === 'score') weights.set(name, weight || 1);
      return [plugin];
    });
  }

  function pluginNamed(name: string): Plugin | undefined {
    const held = made.get(name);
    if (held) return held;
    const plugin = registry.find((factory) => factory.name === name)?.create(handle, plan.args);
    if (plugin) made.set(name, plugin);
    return plugin;
  }
}

/** Whether a plug-in has anything to say at an extension point. */
export function implementsPoint(plugin: Plugin, point: ExtensionPoint): boolean {
  if (point === 'reserve') return plugin.reserve !== undefined || plugin.unreserve !== undefined;
  if (point === 'score') return plugin.score !== undefined || plugin.scoreAll !== undefined;
  return plugin[point] !== undefined;
}
