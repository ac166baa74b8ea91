import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { mapScript } from './id-mapped-mounts.ts';
import { mapConfig } from './map-root.ts';
import { ociConfig } from './oci-config.ts';
import { containerSpec, sandboxSpec } from '../runtime-specs.ts';

const config = ociConfig({
  spec: {
    ...containerSpec('/log'),
    resources: { oomScoreAdj: -997 },
    mounts: [
      { hostPath: '/data', containerPath: '/data', readOnly: false, propagation: 'rshared' },
      { hostPath: '/image', containerPath: '/image', readOnly: true, noExec: true },
    ],
  },
  sandbox: sandboxSpec(),
  image: {
    id: 'sha256:x',
    tags: [],
    digests: [],
    sizeBytes: 0,
    layers: [],
    os: 'linux',
    architecture: 'amd64',
    config: { user: '', env: [], entrypoint: [], cmd: [], workingDir: '', volumes: [], exposedPorts: [] },
  },
  user: { uid: 0, gid: 0, additionalGids: [], home: undefined },
  namespaces: { user: '/run/ns/user' },
  sharedMemory: '/run/shm/1',
  hostnameFile: '/run/hostname',
  rootfs: '/state/rootfs',
  hostDevices: [],
  devices: [],
  privileges: { limit: (all) => all, lowestOomScoreAdj: -1000, hasGroup: () => true },
});

it('binds mounts with mapped owners, and leaves the score of the kernel to the wrapper', () => {
  const { config: mapped, mounts } = mapConfig(config, { first: 131_072, count: 65_536 });
  expect(mounts).toEqual([
    { source: '/run/shm/1', name: 'm0', lenient: false },
    { source: '/run/hostname', name: 'm1', lenient: false },
    { source: '/data', name: 'm2', lenient: false },
    { source: '/image', name: 'm3', lenient: true },
  ]);
  expect(mapped.root.path).toBe('/dev/shm/rootfs');
  expect(mapped.mounts.find(({ destination }) => destination === '/data')).toMatchObject({
    source: '/dev/shm/m2',
    options: ['rbind', 'rslave', 'rw'],
  });
  expect(mapped.linux).toMatchObject({
    rootfsPropagation: 'rslave',
    uidMappings: [{ containerID: 0, hostID: 131_072, size: 65_536 }],
    gidMappings: [{ containerID: 0, hostID: 131_072, size: 65_536 }],
  });
  expect(mapped.linux.namespaces).toContainEqual({ type: 'user', path: '/run/ns/user' });
  expect(mapped.process.oomScoreAdj).toBeUndefined();
});

it.each(['perl', 'mount'] as const)('writes a script that a shell reads, with %s', (tool) => {
  const script = mapScript({
    tool,
    users: "/run/it's/user",
    folder: '/run/mapped',
    mounts: [
      { source: '/layer', name: 'l0' },
      { source: '/image', name: 'm0', lenient: true },
    ],
    layers: ['l0'],
    container: 'containers/1',
  });
  execFileSync('/bin/sh', ['-n'], { input: script });
  expect(script).toContain("'+/image' '/run/mapped/m0'");
  expect(script).toContain('lowerdir=/dev/shm/l0,upperdir=containers/1/upper,workdir=containers/1/work');
});
