import { describe, expect, it } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from '../../api/snapshot/v1.ts';
import type { Live } from '../../machinery/object.ts';
import { marks, planSnapshot, type SnapshotObservation, type SnapshotPlan } from './plan-snapshot.ts';

const version = 'snapshot.storage.k8s.io/v1';
const live = { resourceVersion: '1', creationTimestamp: '' };
const finalizers = [marks.asSource, marks.bound];

function snapshot(
  change: Partial<Omit<VolumeSnapshot, 'metadata'>> = {},
  metadata: Partial<VolumeSnapshot['metadata']> = {},
): Live<VolumeSnapshot> {
  return {
    apiVersion: version,
    kind: 'VolumeSnapshot',
    metadata: { ...live, name: 's', namespace: 'ns', uid: 'u', finalizers, ...metadata },
    spec: { source: { persistentVolumeClaimName: 'c' }, volumeSnapshotClassName: 'standard' },
    ...change,
  };
}

function content(
  change: Partial<VolumeSnapshotContent['spec']> = {},
  rest: Partial<Pick<VolumeSnapshotContent, 'metadata' | 'status'>> = {},
): Live<VolumeSnapshotContent> {
  return {
    apiVersion: version,
    kind: 'VolumeSnapshotContent',
    ...(rest.status && { status: rest.status }),
    metadata: {
      ...live,
      name: 'snapcontent-u',
      uid: 'cu',
      finalizers: [marks.contentBound],
      ...rest.metadata,
    },
    spec: {
      deletionPolicy: 'Delete',
      driver: 'd.example',
      source: { volumeHandle: 'h' },
      volumeSnapshotRef: { namespace: 'ns', name: 's', uid: 'u' },
      ...change,
    },
  };
}

const claim: Live<PersistentVolumeClaim> = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { ...live, name: 'c', namespace: 'ns', uid: 'c' },
  spec: { volumeName: 'pv' },
  status: { phase: 'Bound' },
};
const volume: Live<PersistentVolume> = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { ...live, name: 'pv', uid: 'pv' },
  spec: { csi: { driver: 'd.example', volumeHandle: 'h' } },
};

function snapshotClass(name: string, driver = 'd.example', isDefault = false): VolumeSnapshotClass {
  return {
    apiVersion: version,
    kind: 'VolumeSnapshotClass',
    metadata: { name, ...(isDefault && { annotations: { [marks.defaultClass]: 'true' } }) },
    driver,
    deletionPolicy: 'Retain',
  };
}

function plan(change: Partial<SnapshotObservation> = {}): SnapshotPlan {
  return planSnapshot({
    snapshot: snapshot(),
    content: undefined,
    claim,
    volume,
    classes: [snapshotClass('standard')],
    isSource: false,
    now: 'now',
    ...change,
  });
}

describe('planSnapshot', () => {
  it('protects a snapshot first', () => {
    expect(plan({ snapshot: snapshot({}, { finalizers: ['x'] }) })).toEqual({
      do: 'finalizers',
      finalizers: ['x', ...finalizers],
    });
  });

  it("asks the driver for a snapshot of the claim's volume", () => {
    expect(plan()).toMatchObject({
      do: 'create-content',
      content: {
        metadata: { name: 'snapcontent-u', finalizers: [marks.contentBound] },
        spec: {
          deletionPolicy: 'Retain',
          driver: 'd.example',
          source: { volumeHandle: 'h' },
          sourceVolumeMode: 'Filesystem',
          volumeSnapshotRef: { kind: 'VolumeSnapshot', namespace: 'ns', name: 's', uid: 'u' },
        },
      },
    });
  });

  const withoutClass = snapshot({ spec: { source: { persistentVolumeClaimName: 'c' } } });
  it("takes the default class of the volume's driver", () => {
    const classes = [snapshotClass('other', 'e.example', true), snapshotClass('mine', 'd.example', true)];
    expect(plan({ snapshot: withoutClass, classes })).toEqual({ do: 'class', name: 'mine' });
  });

  it.each<[string, Partial<SnapshotObservation>, string]>([
    ['no default class', { snapshot: withoutClass }, 'cannot find default snapshot class'],
    [
      'two default classes',
      {
        snapshot: withoutClass,
        classes: [snapshotClass('a', 'd.example', true), snapshotClass('b', 'd.example', true)],
      },
      '2 default snapshot classes were found',
    ],
    ['no claim', { claim: undefined }, 'persistentvolumeclaim "c" not found'],
    [
      'a claim without a volume',
      { claim: { ...claim, status: { phase: 'Pending' } } },
      'is not yet bound to a PV',
    ],
    ['a volume without a driver', { volume: { ...volume, spec: {} } }, 'it is no volume of a CSI driver'],
    [
      'a class of another driver',
      { classes: [snapshotClass('standard', 'e.example')] },
      'is for driver e.example',
    ],
    ['an unknown class', { classes: [] }, 'not found'],
    [
      'a content that is gone',
      { snapshot: snapshot({ status: { boundVolumeSnapshotContentName: 'snapcontent-u' } }) },
      'VolumeSnapshotContent is missing',
    ],
    [
      'the content of another snapshot',
      { content: content({ volumeSnapshotRef: { namespace: 'ns', name: 's', uid: 'other' } }) },
      'is bound to a different snapshot',
    ],
  ])('reports %s, once', (_, change, message) => {
    const first = plan(change);
    expect(first).toMatchObject({ do: 'status', status: { readyToUse: false }, event: { type: 'Warning' } });
    const status = first.do === 'status' ? first.status : undefined;
    expect(status?.error?.message).toContain(message);
    const told = { ...(change.snapshot ?? snapshot()), ...(status && { status }) };
    expect(plan({ ...change, snapshot: told })).toEqual({ do: 'nothing' });
  });

  it('binds a content that somebody else has made', () => {
    const held = content({ volumeSnapshotRef: { namespace: 'ns', name: 's' } });
    expect(plan({ content: held })).toEqual({ do: 'bind-content', content: held, uid: 'u' });
  });

  it('reports what the driver has made of it', () => {
    const status = { creationTime: 1_795_294_776_802_000_000n, readyToUse: true, restoreSize: 3 * 2 ** 29 };
    const ready = {
      boundVolumeSnapshotContentName: 'snapcontent-u',
      readyToUse: true,
      creationTime: '2026-11-21T20:59:36Z',
      restoreSize: '1536Mi',
    };
    expect(plan({ content: content({}, { status }) })).toEqual({
      do: 'status',
      status: ready,
      event: { type: 'Normal', reason: 'SnapshotReady', message: 'Snapshot ns/s is ready to use.' },
    });
    expect(plan({ content: content({}, { status }), snapshot: snapshot({ status: ready }) })).toEqual({
      do: 'nothing',
    });
  });

  const deleted = snapshot({}, { deletionTimestamp: 'then' });
  it.each<[string, Partial<SnapshotObservation>, SnapshotPlan['do']]>([
    ['waits for volumes that are made of it', { isSource: true, content: content() }, 'nothing'],
    ['marks its content', { content: content() }, 'mark-content'],
    [
      'deletes its content',
      { content: content({}, { metadata: { annotations: { [marks.beingDeleted]: 'yes' } } }) },
      'delete-content',
    ],
    [
      'waits for its content',
      {
        content: content(
          {},
          { metadata: { annotations: { [marks.beingDeleted]: 'yes' }, deletionTimestamp: 'then' } },
        ),
      },
      'nothing',
    ],
    [
      'goes before a content that is retained',
      { content: content({ deletionPolicy: 'Retain' }) },
      'finalizers',
    ],
    ['goes when nothing is left', {}, 'finalizers'],
  ])('deleted, it %s', (_, change, expected) => {
    expect(plan({ snapshot: deleted, ...change }).do).toBe(expected);
  });
});
