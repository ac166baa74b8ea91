import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../machinery/field-error.ts';
import { persistentVolumeClaims } from './persistent-volume-claims.ts';
import { persistentVolumes } from './persistent-volumes.ts';
import { unifiedDiff } from './spec-diff.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from './v1.gen.ts';

function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

function volume(spec: Partial<PersistentVolumeSpec>): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'v' },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, ...spec },
  };
}

const nfs = { server: 's', path: '/x' };

describe('volumes', () => {
  it.each<[string, Partial<PersistentVolumeSpec>, string[]]>([
    ['good', { nfs }, []],
    ['nothing', {}, ['spec: Required value: must specify a volume type']],
    [
      'two sources',
      { nfs, csi: { driver: 'd.io', volumeHandle: 'h' } },
      ['spec.csi: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'no capacity',
      { nfs, capacity: {} },
      ['spec.capacity: Required value', 'spec.capacity: Unsupported value: {}: supported values: "storage"'],
    ],
    [
      'negative',
      { nfs, capacity: { storage: '-1Gi' } },
      [
        'spec.capacity[storage]: Invalid value: -1073741824: must be a valid resource quantity',
        'spec.capacity[storage]: Invalid value: "-1Gi": must be greater than zero',
      ],
    ],
    [
      'local without nodes',
      { local: { path: '/d' } },
      ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
    ],
    [
      'modes that exclude each other',
      { nfs, accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] },
      ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [
      'root to be wiped',
      { hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ],
    [
      'half a secret',
      { csi: { driver: 'd.io', volumeHandle: 'h', nodePublishSecretRef: { name: 's' } } },
      ['spec.csi.nodePublishSecretRef.namespace: Required value'],
    ],
  ])('%s', (_name, spec, errors) => {
    expect(texts(persistentVolumes.validate?.(volume(spec)))).toEqual(errors);
  });

  it('show how their source was to change', () => {
    const old = volume({ nfs }) as never;
    const [error] = texts(persistentVolumes.validateUpdate?.(volume({ nfs: { ...nfs, path: '/y' } }), old));
    expect(error?.split('\n').slice(0, 10)).toEqual([
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation',
      '@@ -5,7 +5,7 @@',
      '  "Glusterfs": null,',
      '  "NFS": {',
      '   "Server": "s",',
      '-  "Path": "/x",',
      '+  "Path": "/y",',
      '   "ReadOnly": false',
      '  },',
      '  "RBD": null,',
    ]);
  });

  it('warn of what no longer works', () => {
    const object = volume({
      glusterfs: { endpoints: 'e', path: 'p' },
      persistentVolumeReclaimPolicy: 'Recycle',
    });
    expect(persistentVolumes.warnings?.(object)).toEqual([
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.glusterfs: deprecated in v1.25, non-functional in v1.26+',
    ]);
  });
});

describe('claims', () => {
  const claim = (
    spec: PersistentVolumeClaimSpec,
    status: NonNullable<PersistentVolumeClaim['status']> = {},
  ): PersistentVolumeClaim => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'n' },
    spec: { accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', ...spec },
    status,
  });
  const sized = (storage: string): PersistentVolumeClaimSpec => ({ resources: { requests: { storage } } });
  const bound = { phase: 'Bound', capacity: { storage: '2Gi' } } as const;

  it.each<[string, PersistentVolumeClaim, PersistentVolumeClaim, string[]]>([
    ['grow', claim(sized('3Gi'), bound), claim(sized('2Gi'), bound), []],
    ['get their volume', claim({ ...sized('1Gi'), volumeName: 'v' }), claim(sized('1Gi')), []],
    ['get a class late', claim({ ...sized('1Gi'), storageClassName: 'fast' }), claim(sized('1Gi')), []],
    [
      'shrink below what they have',
      claim(sized('1Gi'), bound),
      claim(sized('2Gi'), bound),
      ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
    ],
    [
      'drop a class of attributes that was never applied',
      claim(sized('2Gi'), bound),
      claim({ ...sized('2Gi'), volumeAttributesClassName: 'gold' }, bound),
      [],
    ],
    [
      'keep a class of attributes that was applied',
      claim({ ...sized('2Gi'), volumeAttributesClassName: '' }, bound),
      claim(
        { ...sized('2Gi'), volumeAttributesClassName: 'gold' },
        { ...bound, currentVolumeAttributesClassName: 'gold' },
      ),
      [
        'spec.volumeAttributesClassName: Forbidden: update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil',
      ],
    ],
  ])('%s', (_name, next, old, errors) => {
    expect(texts(persistentVolumeClaims.validateUpdate?.(next, old as never))).toEqual(errors);
  });

  it('say in both fields where their data comes from, and nothing of unknown kinds', () => {
    const prepared = (spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec => {
      const made = structuredClone(claim(spec));
      persistentVolumeClaims.prepareForCreate?.(made as never, {} as never);
      return made.spec;
    };
    const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
    expect(prepared({ dataSource: snapshot }).dataSourceRef).toEqual(snapshot);
    expect(prepared({ dataSourceRef: snapshot }).dataSource).toEqual(snapshot);
    expect(prepared({ dataSource: { apiGroup: 'x.io', kind: 'X', name: 'x' } }).dataSource).toBeUndefined();
  });
});

describe('diffs', () => {
  it('are several hunks when the changes are far apart', () => {
    const lines = Array.from({ length: 20 }, (_none, index) => index);
    const next = [...lines];
    next[1] = 100;
    next[18] = 200;
    expect(unifiedDiff(lines, next).match(/^@@.*@@$/gm)).toEqual(['@@ -1,6 +1,6 @@', '@@ -17,6 +17,6 @@']);
  });
});
