import { describe, expect, it } from 'vitest';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../../api/core/v1.gen.ts';
import type { StorageClass } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { boundStatus, unboundStatus, withClaim, withoutClaim, withVolume } from './binding.ts';
import { findMatch } from './match.ts';
import { planClaim, type ClaimObservation } from './plan-claim.ts';
import { planVolume } from './plan-volume.ts';

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

const completed = { 'pv.kubernetes.io/bind-completed': 'yes' };
const ours = { 'pv.kubernetes.io/bound-by-controller': 'yes' };
const meta = { resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };
const reference = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'ns', name: 'c' };

function claim(
  spec: PersistentVolumeClaimSpec = {},
  rest: Partial<Claim['metadata']> = {},
  status: Claim['status'] = { phase: 'Pending' },
): Claim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...meta, namespace: 'ns', name: 'c', uid: 'claim', ...rest },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '5Gi' } }, ...spec },
    status,
  };
}

function volume(
  name: string,
  size: string,
  spec: PersistentVolumeSpec = {},
  rest: Partial<Volume['metadata']> = {},
): Volume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { ...meta, name, uid: name, ...rest },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: size }, ...spec },
    status: { phase: 'Available' },
  };
}

const inPhase = (held: Volume, phase: NonNullable<NonNullable<Volume['status']>['phase']>): Volume => ({
  ...held,
  status: { phase },
});

describe('findMatch', () => {
  it.each<[string, Claim, readonly Volume[], string | undefined]>([
    ['nothing fits', claim(), [volume('a', '1Gi')], undefined],
    [
      'the smallest that is large enough',
      claim(),
      [volume('a', '9Gi'), volume('b', '5Gi'), volume('c', '6Gi')],
      'b',
    ],
    ['sizes compare as amounts', claim(), [volume('a', '6442450944'), volume('b', '5368709121')], 'b'],
    ['of equals the first by name', claim(), [volume('b', '5Gi'), volume('a', '5Gi')], 'a'],
    [
      'few modes before small size',
      claim(),
      [volume('a', '5Gi', { accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] }), volume('b', '9Gi')],
      'b',
    ],
    ['a mode is missing', claim({ accessModes: ['ReadWriteMany'] }), [volume('a', '5Gi')], undefined],
    ['another class', claim({ storageClassName: 'fast' }), [volume('a', '5Gi')], undefined],
    [
      'the same class, told by the old annotation',
      claim({ storageClassName: 'fast' }),
      [volume('a', '5Gi', {}, { annotations: { 'volume.beta.kubernetes.io/storage-class': 'fast' } })],
      'a',
    ],
    [
      'block is not a file system',
      claim({ volumeMode: 'Block' }),
      [volume('a', '5Gi', { volumeMode: 'Filesystem' })],
      undefined,
    ],
    ['no mode is a file system', claim({ volumeMode: 'Filesystem' }), [volume('a', '5Gi')], 'a'],
    [
      'the selector matches',
      claim({ selector: { matchLabels: { tier: 'gold' } } }),
      [volume('a', '5Gi'), volume('b', '7Gi', {}, { labels: { tier: 'gold' } })],
      'b',
    ],
    [
      'not while it is being deleted',
      claim(),
      [volume('a', '5Gi', {}, { deletionTimestamp: meta.creationTimestamp })],
      undefined,
    ],
    [
      'only when available',
      claim(),
      [inPhase(volume('a', '5Gi'), 'Pending'), inPhase(volume('b', '5Gi'), 'Released')],
      undefined,
    ],
    [
      'one meant for the claim comes first, whatever its phase',
      claim(),
      [volume('a', '5Gi'), inPhase(volume('b', '9Gi', { claimRef: reference }), 'Pending')],
      'b',
    ],
    [
      'one meant for the claim needs no matching class',
      claim({ storageClassName: 'x' }),
      [volume('a', '5Gi', { claimRef: reference })],
      'a',
    ],
    [
      'one meant for the claim must be large enough',
      claim(),
      [volume('a', '1Gi', { claimRef: reference })],
      undefined,
    ],
    [
      'one meant for a former claim of that name',
      claim(),
      [volume('a', '5Gi', { claimRef: { ...reference, uid: 'old' } })],
      undefined,
    ],
    [
      'another class of attributes',
      claim({ volumeAttributesClassName: 'gold' }),
      [volume('a', '5Gi')],
      undefined,
    ],
  ])('%s', (_, wanted, volumes, name) => {
    expect(findMatch(wanted, volumes, 'now')?.metadata.name).toBe(name);
  });

  it('leaves free volumes to the scheduler when a pod has to come first', () => {
    const free = volume('a', '5Gi');
    const meant = volume('b', '9Gi', { claimRef: reference });
    expect([
      findMatch(claim(), [free], 'first-consumer'),
      findMatch(claim(), [free, meant], 'first-consumer'),
    ]).toEqual([undefined, meant]);
  });
});

describe('planClaim', () => {
  const classes: Readonly<Record<string, StorageClass>> = Object.fromEntries(
    (
      [
        ['now', 'example.com/disk', 'Immediate'],
        ['later', 'example.com/disk', 'WaitForFirstConsumer'],
        ['none', 'kubernetes.io/no-provisioner', 'Immediate'],
        ['old', 'kubernetes.io/aws-ebs', 'Immediate'],
      ] as const
    ).map(([name, provisioner, volumeBindingMode]) => [
      name,
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name },
        provisioner,
        volumeBindingMode,
      },
    ]),
  );
  const taken = volume('a', '5Gi', { claimRef: { ...reference, name: 'other', uid: 'other' } });
  const mine = volume('a', '5Gi', { claimRef: { ...reference, uid: 'claim' } });
  const event = (type: string, reason: string, message: string): object => ({
    event: { type, reason, message },
  });
  const pending = (...told: [string, string, string] | []): object => ({
    do: 'phase',
    phase: 'Pending',
    ...(told.length > 0 && event(...(told as [string, string, string]))),
  });
  const selected = { annotations: { 'volume.kubernetes.io/selected-node': 'n' } };
  it.each<[string, Partial<ClaimObservation> & { readonly claim: Claim }, object]>([
    [
      'no class, no volume',
      { claim: claim({ storageClassName: '' }), defaultClass: 'now' },
      pending(
        'Normal',
        'FailedBinding',
        'no persistent volumes available for this claim and no storage class is set',
      ),
    ],
    ['a default class has come since', { claim: claim(), defaultClass: 'now' }, { do: 'class', name: 'now' }],
    [
      'a volume without class comes before the default class',
      { claim: claim(), defaultClass: 'now', candidates: [volume('a', '5Gi')] },
      { do: 'bind', volume: volume('a', '5Gi') },
    ],
    [
      'a provisioner is asked',
      { claim: claim({ storageClassName: 'now' }) },
      { do: 'provision', provisioner: 'example.com/disk' },
    ],
    [
      'the driver that took over is asked',
      { claim: claim({ storageClassName: 'old' }) },
      { do: 'provision', provisioner: 'ebs.csi.aws.com' },
    ],
    [
      'nobody can be asked',
      { claim: claim({ storageClassName: 'none' }) },
      pending('Warning', 'ProvisioningFailed', 'no volume plugin matched name: kubernetes.io/no-provisioner'),
    ],
    [
      'the class is missing',
      { claim: claim({ storageClassName: 'gone' }) },
      pending('Warning', 'ProvisioningFailed', 'storageclass.storage.k8s.io "gone" not found'),
    ],
    [
      'nobody uses it yet',
      {
        claim: claim({ storageClassName: 'later' }),
        candidates: [volume('a', '5Gi', { storageClassName: 'later' })],
      },
      pending('Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding'),
    ],
    [
      'its pod has no node',
      { claim: claim({ storageClassName: 'later' }), waitingPods: () => ['p'] },
      pending('Normal', 'WaitForPodScheduled', 'waiting for pod p to be scheduled'),
    ],
    [
      'several pods have no node',
      { claim: claim({ storageClassName: 'later' }), waitingPods: () => ['p', 'q'] },
      pending('Normal', 'WaitForPodScheduled', 'waiting for pods p,q to be scheduled'),
    ],
    [
      'the scheduler chose a node',
      { claim: claim({ storageClassName: 'later' }, selected) },
      { do: 'provision', provisioner: 'example.com/disk' },
    ],
    ['the named volume is not there yet', { claim: claim({ volumeName: 'a' }) }, pending()],
    [
      'the named volume is free',
      { claim: claim({ volumeName: 'a' }), named: volume('a', '5Gi') },
      { do: 'bind', volume: volume('a', '5Gi') },
    ],
    [
      'the named volume is too small',
      { claim: claim({ volumeName: 'a' }), named: volume('a', '1Gi') },
      pending('Warning', 'VolumeMismatch', 'Cannot bind to requested volume "a": requested PV is too small'),
    ],
    [
      'the named volume is of another class',
      { claim: claim({ volumeName: 'a', storageClassName: 'x' }), named: volume('a', '5Gi') },
      pending(
        'Warning',
        'VolumeMismatch',
        'Cannot bind to requested volume "a": storageClassName does not match',
      ),
    ],
    [
      'the named volume is taken',
      { claim: claim({ volumeName: 'a' }), named: taken },
      pending('Warning', 'FailedBinding', 'volume "a" already bound to a different claim.'),
    ],
    [
      'binding was interrupted',
      { claim: claim({ volumeName: 'a' }), named: mine },
      { do: 'bind', volume: mine },
    ],
    [
      'bound',
      { claim: claim({ volumeName: 'a' }, { annotations: completed }), named: mine },
      { do: 'bind', volume: mine },
    ],
    [
      'bound, and the volume forgot it',
      { claim: claim({ volumeName: 'a' }, { annotations: completed }), named: volume('a', '1Gi') },
      { do: 'bind', volume: volume('a', '1Gi') },
    ],
    [
      'bound, and the reference was removed',
      { claim: claim({}, { annotations: completed }) },
      {
        do: 'phase',
        phase: 'Lost',
        ...event(
          'Warning',
          'ClaimLost',
          'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
        ),
      },
    ],
    [
      'bound, and the volume is gone',
      { claim: claim({ volumeName: 'a' }, { annotations: completed }) },
      {
        do: 'phase',
        phase: 'Lost',
        ...event(
          'Warning',
          'ClaimLost',
          'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
        ),
      },
    ],
    [
      'bound to what another claim has',
      { claim: claim({ volumeName: 'a' }, { annotations: completed }), named: taken },
      {
        do: 'phase',
        phase: 'Lost',
        ...event(
          'Warning',
          'ClaimMisbound',
          'Two claims are bound to the same volume, this one is bound incorrectly',
        ),
      },
    ],
  ])('%s', (_, observation, action) => {
    const planned = planClaim({
      named: undefined,
      candidates: [],
      defaultClass: undefined,
      storageClass: (name) => classes[name],
      waitingPods: () => [],
      ...observation,
    });
    expect(planned).toEqual(action);
  });
});

describe('planVolume', () => {
  const bound = { claimRef: { ...reference, uid: 'claim' } };
  const provisioned = { annotations: { 'pv.kubernetes.io/provisioned-by': 'example.com/disk' } };
  const released = (spec: PersistentVolumeSpec, rest?: Partial<Volume['metadata']>): Volume =>
    inPhase(volume('a', '5Gi', { ...bound, ...spec }, rest), 'Released');
  it.each<[string, Volume, Claim | undefined, object]>([
    ['nobody has it', volume('a', '5Gi'), undefined, { do: 'phase', phase: 'Available' }],
    [
      'it waits for a claim of a name',
      inPhase(volume('a', '5Gi', { claimRef: reference }), 'Pending'),
      undefined,
      { do: 'phase', phase: 'Available' },
    ],
    [
      'the claim of that name is there',
      volume('a', '5Gi', { claimRef: reference }),
      claim(),
      { do: 'wake-claim' },
    ],
    ['the claim has not taken it yet', volume('a', '5Gi', bound), claim(), { do: 'wake-claim' }],
    [
      'the claim cannot take it',
      volume('a', '5Gi', { ...bound, volumeMode: 'Block' }),
      claim(),
      { do: 'mismatch' },
    ],
    [
      'the claim has it',
      volume('a', '5Gi', bound),
      claim({ volumeName: 'a' }),
      { do: 'phase', phase: 'Bound' },
    ],
    ['the claim took another', volume('a', '5Gi', bound), claim({ volumeName: 'b' }), { do: 'unbind' }],
    [
      'the claim took another than the one made for it',
      volume('a', '5Gi', { ...bound, persistentVolumeReclaimPolicy: 'Delete' }, provisioned),
      claim({ volumeName: 'b' }),
      { do: 'phase', phase: 'Released' },
    ],
    [
      'the claim is gone',
      inPhase(volume('a', '5Gi', bound), 'Bound'),
      undefined,
      { do: 'phase', phase: 'Released' },
    ],
    [
      'another claim has its name',
      inPhase(volume('a', '5Gi', bound), 'Bound'),
      claim({}, { uid: 'new' }),
      { do: 'phase', phase: 'Released' },
    ],
    [
      'released and retained',
      released({ persistentVolumeReclaimPolicy: 'Retain' }),
      undefined,
      { do: 'none' },
    ],
    [
      'released, its maker deletes it',
      released({ persistentVolumeReclaimPolicy: 'Delete' }, provisioned),
      undefined,
      { do: 'none' },
    ],
    [
      'released, a driver took over',
      released(
        { persistentVolumeReclaimPolicy: 'Delete' },
        { annotations: { 'pv.kubernetes.io/migrated-to': 'x' } },
      ),
      undefined,
      { do: 'none' },
    ],
    [
      'nobody can delete it',
      released({ persistentVolumeReclaimPolicy: 'Delete' }),
      undefined,
      {
        do: 'phase',
        phase: 'Failed',
        failure: {
          reason: 'VolumeFailedDelete',
          message: 'error getting deleter volume plugin for volume "a": no volume plugin matched',
        },
      },
    ],
    [
      'a directory of the node is not deleted',
      released({ persistentVolumeReclaimPolicy: 'Delete', hostPath: { path: '/data' } }),
      undefined,
      {
        do: 'phase',
        phase: 'Failed',
        failure: {
          reason: 'VolumeFailedDelete',
          message:
            'failed to create deleter for volume "a": host_path deleter only supports /tmp/.+ but received provided /data',
        },
      },
    ],
    [
      'nobody can recycle it',
      released({ persistentVolumeReclaimPolicy: 'Recycle' }),
      undefined,
      {
        do: 'phase',
        phase: 'Failed',
        failure: { reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' },
      },
    ],
  ])('%s', (_, held, named, action) => {
    expect(planVolume(held, named)).toEqual(action);
  });
});

describe('binding', () => {
  it('writes each object once and can be taken back', () => {
    const free = volume('a', '5Gi');
    const taken = withClaim(free, claim());
    expect([taken.spec.claimRef, taken.metadata.annotations, withClaim(taken, claim())]).toEqual([
      { ...reference, uid: 'claim', resourceVersion: '1' },
      ours,
      taken,
    ]);
    expect([withoutClaim(taken).spec, withoutClaim(taken).metadata.annotations]).toEqual([free.spec, {}]);
    const holder = withVolume(claim(), taken);
    expect([holder.spec.volumeName, holder.metadata.annotations, withVolume(holder, taken)]).toEqual([
      'a',
      { ...ours, ...completed },
      holder,
    ]);
  });

  it('leaves what a person named to that person', () => {
    const meant = volume('a', '5Gi', { claimRef: reference });
    const taken = withClaim(meant, claim());
    expect([
      taken.metadata.annotations,
      taken.spec.claimRef?.uid,
      withoutClaim(taken).spec.claimRef?.uid,
    ]).toEqual([undefined, 'claim', undefined]);
    expect(withVolume(claim({ volumeName: 'a' }), taken).metadata.annotations).toEqual(completed);
  });

  it('takes the capacity over once', () => {
    const first = boundStatus(claim(), volume('a', '5Gi'));
    const grown: Claim['status'] = { ...first, capacity: { storage: '8Gi' } };
    expect([
      first,
      boundStatus(claim({}, {}, grown), volume('a', '5Gi')),
      unboundStatus(claim({}, {}, grown), 'Lost'),
    ]).toEqual([
      { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' } },
      grown,
      { phase: 'Lost' },
    ]);
  });
});
