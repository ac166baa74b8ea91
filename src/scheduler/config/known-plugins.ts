import { implementsPoint } from '../build-profile.ts';
import type { Plugin } from '../framework.ts';
import { idleHandle } from '../idle-handle.ts';
import { inTreePlugins } from '../plugins/in-tree-plugins.ts';
import { defaultPluginArgs } from './plugin-args.ts';
import type { KnownPlugins } from './read-profile.ts';

/** Which plug-ins there are, and which extension points each has. */
export function inTreeCapabilities(): KnownPlugins {
  const handle = idleHandle();
  const args = defaultPluginArgs();
  const plugins = new Map<string, Plugin>(
    inTreePlugins.map((factory) => [factory.name, factory.create(handle, args)]),
  );
  return {
    names: new Set(plugins.keys()),
    implementsPoint(name, point) {
      const plugin = plugins.get(name);
      return plugin !== undefined && implementsPoint(plugin, point);
    },
  };
}
