import { lstat } from 'node:fs/promises';
import { resolveCdiDevices } from '../../cdi/resolve-cdi-devices.ts';
import type { CdiDeviceNode, CdiEdits, CdiMount } from '../../cdi/cdi-spec.ts';
import { RuntimeError, type CdiDevices } from '../../container-runtime.ts';
import { deviceNumbers, type GrantedDevice } from './host-devices.ts';
import type { Launcher } from './launcher.ts';
import { deviceRule, type OciConfig, type OciHook, type OciMount } from './oci-config.ts';

/** The configuration with what the named devices ask for. Throws `RuntimeError`. */
export async function applyCdiDevices(
  config: OciConfig,
  devices: CdiDevices,
  { name: launcher }: Pick<Launcher, 'name'>,
): Promise<OciConfig> {
  const edits = await resolveCdiDevices(devices);
  if (launcher === 'util-linux' && edits.hooks?.length)
    throw new RuntimeError(
      'UNSUPPORTED',
      `CDI device injection failed: hooks need crun or runc (devices ${devices.names.join(', ')})`,
    );
  const granted = await Promise.all(
    (edits.deviceNodes ?? []).map((node) => grantedDevice(node, config.process.user)),
  );
  return withEdits(config, edits, granted);
}

/** Puts edits into a configuration: what has the name or place of something in it replaces that. */
export function withEdits(config: OciConfig, edits: CdiEdits, granted: readonly GrantedDevice[]): OciConfig {
  const { process: run, linux, mounts } = config;
  const paths = new Set(granted.map(({ device }) => device.path));
  const hooks = [...(edits.hooks ?? [])].reduce<Record<string, readonly OciHook[]>>(
    (all, { hookName, ...hook }) => ({ ...all, [hookName]: [...(all[hookName] ?? []), hook] }),
    { ...config.hooks },
  );
  const gids = new Set([...run.user.additionalGids, ...(edits.additionalGids ?? [])]);
  return {
    ...config,
    process: {
      ...run,
      user: { ...run.user, additionalGids: [...gids] },
      env: withVariables(run.env, edits.env ?? []),
    },
    mounts: withMounts(mounts, edits.mounts ?? []),
    ...(Object.keys(hooks).length > 0 && { hooks }),
    linux: {
      ...linux,
      devices: [
        ...linux.devices.filter(({ path }) => !paths.has(path)),
        ...granted.map(({ device }) => device),
      ],
      resources: {
        ...linux.resources,
        devices: [...linux.resources.devices, ...granted.map(deviceRule)],
      },
    },
  };
}

function withVariables(env: readonly string[], more: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='));
  return [...new Map([...env, ...more].map((entry) => [nameOf(entry), entry])).values()];
}

/** Outer paths before those inside them, as far as the edits bring some. */
function withMounts(mounts: readonly OciMount[], more: readonly CdiMount[]): readonly OciMount[] {
  if (more.length === 0) return mounts;
  const taken = new Set(more.map(({ containerPath }) => containerPath));
  const depth = ({ destination }: OciMount): number => destination.split('/').filter(Boolean).length;
  return [...mounts.filter(({ destination }) => !taken.has(destination)), ...more.map(mountOf)].toSorted(
    (a, b) => depth(a) - depth(b),
  );
}

function mountOf({ hostPath, containerPath, type, options = [] }: CdiMount): OciMount {
  const binds = type === undefined || type === '' || options.some((one) => one === 'bind' || one === 'rbind');
  return {
    destination: containerPath,
    type: binds ? 'bind' : type,
    source: hostPath,
    options: binds && !options.some((one) => one.endsWith('bind')) ? ['rbind', ...options] : options,
  };
}

/** A device node, completed by what the machine says of it. Throws `RuntimeError`. */
async function grantedDevice(
  node: CdiDeviceNode,
  user: { readonly uid: number; readonly gid: number },
): Promise<GrantedDevice> {
  const { path, hostPath = path, permissions = 'rwm', fileMode = 0o666 } = node;
  if (node.type === 'p')
    throw new RuntimeError('UNSUPPORTED', `CDI device injection failed: device "${path}" is a FIFO`);
  const numbers =
    node.type && node.major
      ? {
          type: node.type === 'b' ? ('b' as const) : ('c' as const),
          major: node.major,
          minor: node.minor ?? 0,
        }
      : await numbersOf(hostPath, node.type);
  const { uid = user.uid, gid = user.gid } = node;
  return {
    device: { path, ...numbers, fileMode, uid, gid },
    access: permissions === 'none' ? '' : permissions || 'rwm',
  };
}

async function numbersOf(
  hostPath: string,
  wanted: string | undefined,
): Promise<{ readonly type: 'c' | 'b'; readonly major: number; readonly minor: number }> {
  const stats = await lstat(hostPath).catch((cause: Error) => {
    throw new RuntimeError(
      'FAILED',
      `CDI device injection failed: failed to stat CDI host device "${hostPath}": ${cause.message}`,
      { cause },
    );
  });
  const type = stats.isBlockDevice() ? 'b' : stats.isCharacterDevice() ? 'c' : undefined;
  if (!type)
    throw new RuntimeError('FAILED', `CDI device injection failed: "${hostPath}" is not a device node`);
  if (wanted && (wanted === 'u' ? 'c' : wanted) !== type)
    throw new RuntimeError(
      'FAILED',
      `CDI device injection failed: device "${hostPath}", host type mismatch (${wanted}, ${type})`,
    );
  return { type, ...deviceNumbers(stats.rdev) };
}
