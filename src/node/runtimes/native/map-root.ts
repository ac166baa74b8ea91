import { access, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lowerLayers } from './container-launch.ts';
import { mappedFolder, mapScript, type MappedMount, type MapTool } from './id-mapped-mounts.ts';
import type { NativeLayout } from './layout.ts';
import type { OciConfig, OciMount } from './oci-config.ts';
import type { SandboxRecord } from './records.ts';
import { namespacePaths } from './sandbox-namespaces.ts';
import type { UserRange } from './user-ranges.ts';

/**
 * Prepares a container of a sandbox with users of its own: writes what its wrapper mounts (`map.sh`), hands its own files over
 * to the first of these users, and gives the configuration that fits. Of other sandboxes the configuration stays as it is.
 */
export async function mapRoot(
  {
    layout,
    mapTool,
  }: { readonly layout: NativeLayout; readonly mapTool: object | { readonly tool: MapTool } },
  { id: sandboxId, spec, users }: SandboxRecord,
  container: { readonly id: string; readonly config: OciConfig; readonly layers: readonly string[] },
): Promise<OciConfig> {
  const { user } = namespacePaths(layout, sandboxId, spec);
  if (!users || user === undefined || !('tool' in mapTool)) return container.config;
  const folder = join(layout.containers, container.id);
  const { config, mounts } = mapConfig(container.config, users);
  const lower = await lowerLayers(layout, container.id, container.layers);
  const layers = lower.map((source, position) => ({ source, name: `l${position}` }));
  const script = mapScript({
    tool: mapTool.tool,
    users: user,
    folder: layout.mapped,
    mounts: [...layers, ...mounts],
    layers: layers.map(({ name }) => name),
    container: `containers/${container.id}`,
  });
  await writeFile(join(folder, 'map.sh'), script, { mode: 0o600 });
  await Promise.all(
    ['upper', 'out', 'err', 'in'].map(async (name) => {
      const path = join(folder, name);
      const there = await access(path).then(
        () => true,
        () => false,
      );
      if (there) await chown(path, users.first, users.first);
    }),
  );
  return config;
}

/**
 * The configuration of a container with users of its own: what it binds comes from mounts with mapped owners, and so does its
 * root file system. Its wrapper sets the score for the kernel's choice of victims, which no such user may lower.
 */
export function mapConfig(
  config: OciConfig,
  { first, count }: UserRange,
): { readonly config: OciConfig; readonly mounts: readonly MappedMount[] } {
  const found: MappedMount[] = [];
  const mounts = config.mounts.map((mount): OciMount => {
    if (mount.type !== 'bind') return mount;
    const name = `m${found.length}`;
    // The files of images, of which nothing may be executed, lie in an overlay.
    found.push({ source: mount.source, name, lenient: mount.options.includes('noexec') });
    return { ...mount, source: `${mappedFolder}/${name}`, options: mount.options.map(unshared) };
  });
  const mapping = [{ containerID: 0, hostID: first, size: count }];
  const { oomScoreAdj: _, ...process } = config.process;
  return {
    config: {
      ...config,
      process,
      root: { ...config.root, path: `${mappedFolder}/rootfs` },
      mounts,
      linux: {
        ...config.linux,
        rootfsPropagation: unshared(config.linux.rootfsPropagation),
        uidMappings: mapping,
        gidMappings: mapping,
      },
    },
    mounts: found,
  };
}

/** Mounts of a user namespace do not reach the one that it came from. */
function unshared(propagation: string): string {
  return propagation === 'rshared' ? 'rslave' : propagation;
}
