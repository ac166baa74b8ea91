import { expect, it } from 'vitest';
import { withEdits } from './cdi-edits.ts';
import type { OciConfig, OciDevice } from './oci-config.ts';

const device = (path: string, minor: number): OciDevice => ({
  path,
  type: 'c',
  major: 1,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
});

const config: OciConfig = {
  ociVersion: '1.0.2',
  process: {
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [1] },
    args: ['x'],
    env: ['PATH=/bin', 'A=old'],
    cwd: '/',
    capabilities: { bounding: [], effective: [], permitted: [] },
    noNewPrivileges: false,
  },
  root: { path: '/r', readonly: false },
  mounts: [
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: [] },
    { destination: '/a/b', type: 'bind', source: '/old', options: ['rbind'] },
  ],
  linux: {
    namespaces: [],
    devices: [device('/dev/x', 1), device('/dev/y', 2)],
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    maskedPaths: [],
    readonlyPaths: [],
    rootfsPropagation: 'rprivate',
  },
};

it('puts what devices bring in the place of what has its name, outer mounts first', () => {
  const hook = { hookName: 'createRuntime', path: '/bin/hook', args: ['hook'] };
  const edited = withEdits(
    config,
    {
      env: ['A=new', 'B=1'],
      mounts: [
        { hostPath: '/new', containerPath: '/a/b', options: ['ro'] },
        { hostPath: '/top', containerPath: '/a' },
        { hostPath: 'none', containerPath: '/t', type: 'tmpfs' },
      ],
      hooks: [hook],
      additionalGids: [1, 9],
    },
    [{ device: device('/dev/x', 7), access: 'r' }],
  );
  expect(edited.process.env).toEqual(['PATH=/bin', 'A=new', 'B=1']);
  expect(edited.process.user.additionalGids).toEqual([1, 9]);
  expect(edited.mounts.map(({ destination, type, source }) => `${destination} ${type} ${source}`)).toEqual([
    '/dev tmpfs tmpfs',
    '/a bind /top',
    '/t tmpfs none',
    '/a/b bind /new',
  ]);
  expect(edited.mounts.at(-1)?.options).toEqual(['rbind', 'ro']);
  expect(edited.hooks).toEqual({ createRuntime: [{ path: '/bin/hook', args: ['hook'] }] });
  expect(edited.linux.devices).toEqual([device('/dev/y', 2), device('/dev/x', 7)]);
  expect(edited.linux.resources.devices).toEqual([
    { allow: false, access: 'rwm' },
    { allow: true, access: 'r', type: 'c', major: 1, minor: 7 },
  ]);
});
