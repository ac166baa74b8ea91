/** What a container gets beside what its image and its pod say (CDI's `containerEdits`). */
export interface CdiEdits {
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  readonly deviceNodes?: readonly CdiDeviceNode[];
  readonly mounts?: readonly CdiMount[];
  readonly hooks?: readonly CdiHook[];
  readonly additionalGids?: readonly number[];
  readonly intelRdt?: object;
  readonly netDevices?: readonly object[];
}

export interface CdiDeviceNode {
  /** In the container. */
  readonly path: string;
  /** On the machine; absent: the same. */
  readonly hostPath?: string;
  /** `c`, `u` (the same), `b` or `p`; absent: as on the machine. */
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  /** Letters of `rwm`, or `none`; absent: all. */
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly options?: readonly string[];
  readonly type?: string;
}

export interface CdiHook {
  readonly hookName: string;
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

/** A file of devices of one kind (Container Device Interface 0.3 to 1.x). */
export interface CdiSpec {
  readonly cdiVersion: string;
  /** `vendor.example/class`. */
  readonly kind: string;
  readonly devices: readonly { readonly name: string; readonly containerEdits: CdiEdits }[];
  /** What every container gets that has one of the devices. */
  readonly containerEdits?: CdiEdits;
}

const hookNames = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

/** What is wrong with edits; undefined when nothing is. */
export function editsProblem(edits: CdiEdits): string | undefined {
  const badVariable = edits.env?.find((entry) => entry.indexOf('=') <= 0);
  if (badVariable !== undefined) return `invalid environment variable ${JSON.stringify(badVariable)}`;
  for (const { path, type = '', permissions = '' } of edits.deviceNodes ?? []) {
    if (!path) return 'invalid (empty) device path';
    if (!['', 'b', 'c', 'u', 'p'].includes(type)) return `device "${path}": invalid type "${type}"`;
    if (permissions !== 'none' && /[^rwm]/.test(permissions))
      return `device "${path}": invalid permissions "${permissions}"`;
  }
  for (const { hookName, path } of edits.hooks ?? []) {
    if (!hookNames.includes(hookName)) return `invalid hook name "${hookName}"`;
    if (!path) return `invalid hook "${hookName}" with empty path`;
  }
  for (const { hostPath, containerPath } of edits.mounts ?? []) {
    if (!hostPath) return 'invalid mount, empty host path';
    if (!containerPath) return 'invalid mount, empty container path';
  }
  if (edits.intelRdt) return 'intelRdt is not supported on this node';
  if (edits.netDevices?.length) return 'netDevices are not supported on this node';
  return undefined;
}

/** Edits one after the other, as one. */
export function joinEdits(all: readonly CdiEdits[]): CdiEdits {
  return {
    env: all.flatMap(({ env = [] }) => env),
    deviceNodes: all.flatMap(({ deviceNodes = [] }) => deviceNodes),
    mounts: all.flatMap(({ mounts = [] }) => mounts),
    hooks: all.flatMap(({ hooks = [] }) => hooks),
    additionalGids: [...new Set(all.flatMap(({ additionalGids = [] }) => additionalGids))].filter(Boolean),
  };
}
