import { describe, expect, it } from 'vitest';
import type { ContainerSpec, SandboxSpec } from '../../container-runtime.ts';
import type { Image } from '../../image-service.ts';
import { containerSpec, sandboxSpec } from '../runtime-specs.ts';
import { containerConfig, sandboxConfig } from './cri-config.ts';

const owner = { clusterId: 'abc123', nodeName: 'node' };

function imageOf(user: string): Image {
  return {
    id: 'sha256:1',
    tags: [],
    digests: [],
    sizeBytes: 0,
    layers: [],
    os: 'linux',
    architecture: 'amd64',
    config: { user, env: [], entrypoint: [], cmd: [], workingDir: '', volumes: [], exposedPorts: [] },
  };
}

function container(changes: Partial<ContainerSpec>, user: string = ''): ReturnType<typeof containerConfig> {
  return containerConfig({
    sandboxId: 's',
    sandbox: sandboxSpec(),
    spec: { ...containerSpec('/var/log/0.log'), ...changes },
    image: imageOf(user),
    owner,
    seccompDirectory: '/seccomp',
  });
}

const { security } = containerSpec('');

describe('the user of a container', () => {
  it.each([
    ['the one asked for', { runAsUser: 7 }, '', { run_as_user: { value: 7 } }],
    [
      'with its group',
      { runAsUser: 7, runAsGroup: 8 },
      '',
      { run_as_user: { value: 7 }, run_as_group: { value: 8 } },
    ],
    ['the image’s, which the runtime finds', {}, 'web', {}],
    [
      'the image’s name, for a group',
      { runAsGroup: 8 },
      'web:x',
      { run_as_username: 'web', run_as_group: { value: 8 } },
    ],
    [
      'the image’s number, for a group',
      { runAsGroup: 8 },
      '33',
      { run_as_user: { value: 33 }, run_as_group: { value: 8 } },
    ],
    ['root, for a group', { runAsGroup: 8 }, '', { run_as_user: { value: 0 }, run_as_group: { value: 8 } }],
  ])('%s', (_title, asked, image, expected) => {
    const { run_as_user, run_as_username, run_as_group } = container(
      { security: { ...security, ...asked } },
      image,
    ).linux.security_context;
    expect(JSON.parse(JSON.stringify({ run_as_user, run_as_username, run_as_group }))).toEqual(expected);
  });
});

describe('namespaces', () => {
  it.each<[string, Partial<SandboxSpec>, object]>([
    ['a pod’s own', {}, { network: 'POD', pid: 'CONTAINER', ipc: 'POD' }],
    ['shared processes', { shareProcessNamespace: true }, { network: 'POD', pid: 'POD', ipc: 'POD' }],
    [
      'the machine’s',
      { hostNetwork: true, hostPID: true, hostIPC: true },
      { network: 'NODE', pid: 'NODE', ipc: 'NODE' },
    ],
  ])('%s', (_title, changes, expected) => {
    const spec = { ...sandboxSpec(), ...changes };
    const config = sandboxConfig({ spec, owner, cgroupParent: '/k', privileged: false });
    expect(config.linux.security_context.namespace_options).toEqual(expected);
  });

  it('those of the container to debug', () => {
    expect(container({ processesOf: 'other' }).linux.security_context.namespace_options).toMatchObject({
      pid: 'TARGET',
      target_id: 'other',
    });
  });
});

it('hides parts of /proc unless the container may see them', () => {
  const hidden = (changes: Partial<ContainerSpec['security']>): number =>
    container({ security: { ...security, ...changes } }).linux.security_context.masked_paths.length;
  expect(hidden({})).toBeGreaterThan(0);
  expect(hidden({ privileged: true })).toBe(0);
  expect(hidden({ procMount: 'Unmasked' })).toBe(0);
});

it('names a seccomp profile by its path', () => {
  const seccomp = { type: 'Localhost', localhostProfile: 'p.json' } as const;
  expect(container({ security: { ...security, seccomp } }).linux.security_context.seccomp).toEqual({
    profile_type: 'Localhost',
    localhost_ref: '/seccomp/p.json',
  });
});

it('marks what is the node’s, and says whose it is', () => {
  expect(container({}).labels).toMatchObject({
    'kanoe.io/cluster': 'abc123',
    'kanoe.io/node': 'node',
    'io.kubernetes.pod.uid': 'uid-1',
    'io.kubernetes.pod.name': 'web',
  });
  expect(container({}).log_path).toBe('var/log/0.log');
});

it('passes devices on, and the names of those that the runtime looks up', () => {
  const config = container({
    devices: [
      { hostPath: '/dev/a', containerPath: '/dev/b', permissions: 'r' },
      { hostPath: '/dev/c', containerPath: '/dev/c' },
    ],
    cdi: { names: ['vendor.example/class=x'], folders: ['/etc/cdi'] },
  });
  expect([config.devices, config.CDI_devices]).toEqual([
    [
      { host_path: '/dev/a', container_path: '/dev/b', permissions: 'r' },
      { host_path: '/dev/c', container_path: '/dev/c', permissions: 'rwm' },
    ],
    [{ name: 'vendor.example/class=x' }],
  ]);
});
