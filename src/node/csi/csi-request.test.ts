import { expect, it } from 'vitest';
import { capabilityOf, takesGroup, type CsiMount } from './csi-request.ts';
import { kubeletPath, machinePath } from '../plugins/kubelet-paths.ts';

const mount: CsiMount = {
  name: 'pv',
  driver: 'd',
  handle: 'h',
  lifecycle: 'Persistent',
  readOnly: false,
  fsType: 'ext4',
  accessMode: 'ReadWriteOnce',
  mountOptions: [],
  attributes: {},
};

it.each([
  ['ReadWriteOnce', [], 1],
  ['ReadWriteOncePod', [], 1],
  ['ReadOnlyMany', [], 3],
  ['ReadWriteMany', [], 5],
  ['ReadWriteOncePod', [5], 6],
  ['ReadWriteOnce', [5], 7],
])('%s with the abilities %j is access mode %d', (accessMode, abilities, mode) => {
  expect(capabilityOf({ ...mount, accessMode }, new Set(abilities), undefined).access_mode.mode).toBe(mode);
});

it('passes the group on to drivers that can take it', () => {
  expect(capabilityOf(mount, new Set([6]), 2000).mount).toMatchObject({ volume_mount_group: '2000' });
  expect(capabilityOf(mount, new Set(), 2000).mount).not.toHaveProperty('volume_mount_group');
});

it.each<[string | undefined, Partial<CsiMount>, boolean]>([
  [undefined, {}, true],
  [undefined, { fsType: '' }, false],
  [undefined, { accessMode: 'ReadWriteMany' }, false],
  ['File', { accessMode: 'ReadWriteMany', fsType: '' }, true],
  ['File', { readOnly: true }, false],
  ['None', {}, false],
])('with the policy %s the files of %j go to the group: %s', (fsGroupPolicy, change, expected) => {
  const driver = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: 'd' },
    spec: fsGroupPolicy === undefined ? {} : { fsGroupPolicy },
  } as const;
  expect(takesGroup({ ...mount, ...change }, driver)).toBe(expected);
});

it.each([
  ['/var/lib/kubelet', '/n'],
  ['/var/lib/kubelet/', '/n'],
  ['/var/lib/kubelet/pods/u', '/n/pods/u'],
  ['/var/lib/kubelet/plugins_registry', '/n/plugins_registry'],
  ['/var/lib/kubelet/device-plugins/kubelet.sock', '/n/device-plugins/kubelet.sock'],
  ['/var/lib/kubelets', '/var/lib/kubelets'],
  ['/var/lib', '/var/lib'],
])('%s is %s on the machine', (path, expected) => {
  expect(machinePath(path, '/n')).toBe(expected);
});

it("says the machine's paths as manifests do", () => {
  expect([kubeletPath('/n/pods/u', '/n'), kubeletPath('/other', '/n')]).toEqual([
    '/var/lib/kubelet/pods/u',
    '/other',
  ]);
});
