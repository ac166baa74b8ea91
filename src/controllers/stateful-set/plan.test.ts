import { describe, expect, it } from 'vitest';
import type { ControllerRevision, StatefulSet, StatefulSetSpec } from '../../api/apps/v1.gen.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1.gen.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { StatefulSetObservation } from './observation.ts';
import { planSteps, type StatefulSetStep } from './plan.ts';
import { nextAvailability, planStatus } from './status.ts';

const now = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

interface Facts {
  readonly spec?: Partial<StatefulSetSpec>;
  readonly status?: StatefulSet['status'];
  readonly deleting?: boolean;
  /** Claims that exist: name → owners as `Kind/name/uid`, a `*` for the controller; `deleting` for one on its way out. */
  readonly claims?: Readonly<Record<string, string>>;
}

const meta = (
  name: string,
  uid: string,
): { name: string; namespace: string; uid: string; resourceVersion: string; creationTimestamp: string } => ({
  name,
  namespace: 'default',
  uid,
  resourceVersion: '1',
  creationTimestamp: ago(600),
});

function revision(name: string): Live<ControllerRevision> {
  const template = {
    metadata: { labels: { app: 'db' } },
    spec: { containers: [{ name: 'c', image: name }] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: meta(name, name),
    data: { spec: { template: { ...template, $patch: 'replace' } } },
    revision: 1,
  };
}

/**
 * A pod in words: `2 old ready` is number 2 of the earlier revision. Further words: `new`, `pending`, `failed`,
 * `succeeded`, `unready`, `fresh` (ready for 5 s), `deleting`, `strange` (lacks its identity labels).
 */
function pod(text: string): Live<Pod> {
  const [ordinal, ...words] = text.split(' ');
  const says = (word: string): boolean => words.includes(word);
  const name = `db-${ordinal}`;
  const phase = says('pending')
    ? 'Pending'
    : says('failed')
      ? 'Failed'
      : says('succeeded')
        ? 'Succeeded'
        : 'Running';
  const ready = says('ready') || says('fresh');
  const labels = {
    app: 'db',
    'controller-revision-hash': says('new') ? 'db-new' : 'db-old',
    ...(!says('strange') && {
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': `${ordinal}`,
    }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(name, `uid-${name}`),
      labels,
      ...(says('deleting') && { deletionTimestamp: ago(1) }),
    },
    spec: {
      containers: [],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${name}` } }],
    },
    status: {
      phase,
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(says('fresh') ? 5 : 300) },
      ],
    },
  };
}

function claim(name: string, facts: string): Live<PersistentVolumeClaim> {
  const ownerReferences = facts
    .split(' ')
    .filter((word) => word.includes('/'))
    .map((word): OwnerReference => {
      const [kind = '', owner = '', uid = ''] = word.replace('*', '').split('/');
      const apiVersion = kind === 'Pod' ? 'v1' : 'apps/v1';
      return { apiVersion, kind, name: owner, uid, ...(word.endsWith('*') && { controller: true }) };
    });
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...meta(name, name),
      ownerReferences,
      ...(facts === 'deleting' && { deletionTimestamp: ago(1) }),
    },
    spec: {},
  };
}

function observe(replicas: number, members: readonly string[], facts: Facts = {}): StatefulSetObservation {
  const claims = new Map(Object.entries(facts.claims ?? {}).map(([name, text]) => [name, claim(name, text)]));
  return {
    set: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...meta('db', 'set'), generation: 3, ...(facts.deleting && { deletionTimestamp: ago(1) }) },
      spec: {
        replicas,
        serviceName: 'db',
        selector: { matchLabels: { app: 'db' } },
        template: { spec: { containers: [] } },
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        ...facts.spec,
      },
      ...(facts.status && { status: facts.status }),
    },
    pods: members.map(pod),
    claim: (name) => claims.get(name),
    current: revision('db-old'),
    update: revision('db-new'),
    now,
  };
}

function inWords(step: StatefulSetStep): string {
  switch (step.step) {
    case 'create': {
      const { name, labels } = step.pod.metadata;
      const claims = step.claims.map(({ metadata }) => ` with ${metadata.name}`).join('');
      return `create ${name} as ${labels?.['controller-revision-hash']}${claims}`;
    }
    case 'provide':
      return `provide ${step.claims.map(({ metadata }) => metadata.name).join(' ')}`;
    case 'own':
      return `own ${step.claim.metadata.name} by ${step.owners.map(({ kind, name }) => `${kind}/${name}`).join(' ') || 'nobody'}`;
    default:
      return `${step.step} ${step.pod.metadata.name}`;
  }
}

const parallel: Partial<StatefulSetSpec> = { podManagementPolicy: 'Parallel' };
const rolling = (rollingUpdate: object): Partial<StatefulSetSpec> => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
});
const onDelete: Partial<StatefulSetSpec> = { updateStrategy: { type: 'OnDelete' } };
const data: Partial<StatefulSetSpec> = {
  volumeClaimTemplates: [
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: {} },
  ],
};
const retention = (whenDeleted: string, whenScaled: string): Partial<StatefulSetSpec> => ({
  ...data,
  persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled },
});

type Row = readonly [
  name: string,
  replicas: number,
  pods: readonly string[],
  facts: Facts,
  steps: readonly string[],
];

const scaling: readonly Row[] = [
  ['starts with the first', 3, [], {}, ['create db-0 as db-new']],
  ['waits until the first is ready', 3, ['0 new unready'], {}, []],
  ['waits while the first is pending', 3, ['0 new pending'], {}, []],
  ['goes on when the first is ready', 3, ['0 new ready'], {}, ['create db-1 as db-new']],
  ['waits for minReadySeconds', 3, ['0 new fresh'], { spec: { minReadySeconds: 10 } }, []],
  [
    'does not wait longer than minReadySeconds',
    3,
    ['0 new fresh'],
    { spec: { minReadySeconds: 5 } },
    ['create db-1 as db-new'],
  ],
  ['waits for a pod that is going', 2, ['0 new ready deleting'], {}, []],
  ['fills a gap first', 3, ['0 new ready', '2 new ready'], {}, ['create db-1 as db-new']],
  ['replaces a failed pod', 2, ['0 new failed', '1 new ready'], {}, ['delete db-0']],
  ['replaces a pod that ended well', 2, ['0 new succeeded', '1 new ready'], {}, ['delete db-0']],
  ['waits for a failed pod that is going', 2, ['0 new failed deleting'], {}, []],
  [
    'starts where ordinals.start says',
    2,
    [],
    { spec: { ordinals: { start: 5 } } },
    ['create db-5 as db-new'],
  ],
  [
    'removes what lies below ordinals.start last',
    2,
    ['0 new ready', '1 new ready', '2 new ready'],
    { spec: { ordinals: { start: 1 } } },
    ['delete db-0'],
  ],
  [
    'creates all at once in parallel',
    3,
    ['1 new unready'],
    { spec: parallel },
    ['create db-0 as db-new', 'create db-2 as db-new'],
  ],
  [
    'replaces what failed and goes on, in parallel',
    2,
    ['0 new failed'],
    { spec: parallel },
    ['delete db-0', 'create db-1 as db-new'],
  ],
  ['removes the last', 1, ['0 new ready', '1 new ready', '2 new ready'], {}, ['delete db-2']],
  ['does not remove while one is going', 1, ['0 new ready', '1 new ready', '2 new ready deleting'], {}, []],
  ['does not remove while one that stays is unready', 1, ['0 new unready', '1 new ready'], {}, []],
  [
    'does not remove an unready one above an unready one',
    1,
    ['0 new ready', '1 new unready', '2 new unready'],
    {},
    [],
  ],
  [
    'removes the one that is unready',
    1,
    ['0 new ready', '1 new ready', '2 new unready'],
    {},
    ['delete db-2'],
  ],
  [
    'removes all at once in parallel',
    1,
    ['0 new unready', '1 new ready', '2 new unready'],
    { spec: parallel },
    ['delete db-2', 'delete db-1'],
  ],
  ['removes all for a size of 0', 0, ['0 new ready'], {}, ['delete db-0']],
  ['gives a pod back its identity', 1, ['0 new ready strange'], {}, ['repair db-0']],
  ['does nothing when it is being deleted', 3, ['0 new ready'], { deleting: true }, []],
];

const updating: readonly Row[] = [
  ['replaces the highest', 3, ['0 old ready', '1 old ready', '2 old ready'], {}, ['delete db-2']],
  ['goes on downwards', 3, ['0 old ready', '1 old ready', '2 new ready'], {}, ['delete db-1']],
  ['waits for the one above', 3, ['0 old ready', '1 old ready', '2 new unready'], {}, []],
  [
    'waits for minReadySeconds of the one above',
    2,
    ['0 old ready', '1 new fresh'],
    { spec: { minReadySeconds: 10 } },
    [],
  ],
  [
    'replaces nothing below the partition',
    3,
    ['0 old ready', '1 old ready', '2 new ready'],
    { spec: rolling({ partition: 2 }) },
    [],
  ],
  [
    'brings a pod below the partition back as it was',
    3,
    ['1 old ready', '2 new ready'],
    { spec: rolling({ partition: 2 }) },
    ['create db-0 as db-old'],
  ],
  [
    'counts the partition from ordinals.start',
    3,
    ['4 old ready', '5 old ready'],
    { spec: { ...rolling({ partition: 1 }), ordinals: { start: 3 } } },
    ['create db-3 as db-old'],
  ],
  [
    'replaces nothing with a partition beyond the size',
    2,
    ['0 old ready', '1 old ready'],
    { spec: rolling({ partition: 7 }) },
    [],
  ],
  [
    'brings back as many as were current when there is no partition',
    2,
    ['1 new ready'],
    {
      spec: { updateStrategy: { type: 'RollingUpdate' } },
      status: { replicas: 2, availableReplicas: 0, currentReplicas: 1 },
    },
    ['create db-0 as db-old'],
  ],
  ['replaces nothing on delete', 2, ['0 old ready', '1 old ready'], { spec: onDelete }, []],
  [
    'brings back what was deleted anew on delete',
    2,
    ['0 old ready'],
    { spec: onDelete },
    ['create db-1 as db-new'],
  ],
  ['scales before it updates', 3, ['0 old ready', '1 old ready'], {}, ['create db-2 as db-new']],
  [
    'replaces an unready pod in parallel',
    3,
    ['0 old ready', '1 old ready', '2 old unready'],
    { spec: parallel },
    ['delete db-2'],
  ],
  [
    'one at a time in parallel, too',
    3,
    ['0 old ready', '1 old unready', '2 new unready'],
    { spec: parallel },
    [],
  ],
];

const maxUnavailable = (value: number | string, more: Partial<StatefulSetSpec> = {}): Facts => ({
  spec: {
    ...more,
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: value } },
  },
});

/** Cases of KEP-961. */
const unavailability: readonly Row[] = [
  [
    'as many as may be unavailable',
    5,
    ['0 old ready', '1 old ready', '2 old ready', '3 old ready', '4 old ready'],
    maxUnavailable(2),
    ['delete db-4', 'delete db-3'],
  ],
  [
    'a share is rounded down',
    5,
    ['0 old ready', '1 old ready', '2 old ready', '3 old ready', '4 old ready'],
    maxUnavailable('50%'),
    ['delete db-4', 'delete db-3'],
  ],
  [
    'a share is never less than one',
    3,
    ['0 old ready', '1 old ready', '2 old ready'],
    maxUnavailable('10%'),
    ['delete db-2'],
  ],
  [
    'not more while some are unavailable',
    3,
    ['0 old ready', '1 old ready', '2 new unready'],
    maxUnavailable(2, parallel),
    ['delete db-1'],
  ],
  [
    'in order, one comes back before the next goes',
    4,
    ['0 old ready', '1 old ready', '2 new ready'],
    maxUnavailable(2),
    ['create db-3 as db-new'],
  ],
  [
    'in parallel, broken pods go at once',
    4,
    ['0 old unready', '1 old unready', '2 old ready', '3 old ready'],
    maxUnavailable(2, parallel),
    ['delete db-1', 'delete db-0'],
  ],
  [
    'in parallel, broken pods go before good ones',
    5,
    ['0 old unready', '1 old unready', '2 old ready', '3 old ready', '4 old ready'],
    maxUnavailable(3, parallel),
    ['delete db-1', 'delete db-0', 'delete db-4'],
  ],
  [
    'in parallel, those on their way out count',
    3,
    ['0 old ready', '1 old ready', '2 old ready deleting'],
    maxUnavailable(1, parallel),
    [],
  ],
  [
    'in parallel, one going and one broken leave room for one',
    5,
    ['0 old ready', '1 old ready', '2 old ready', '3 old unready', '4 old deleting'],
    maxUnavailable(3, parallel),
    ['delete db-3', 'delete db-2'],
  ],
  [
    'in order, a broken pod blocks',
    3,
    ['0 old ready', '1 old ready', '2 old unready'],
    maxUnavailable(2),
    [],
  ],
];

/** Cases of KEP-1847. */
const claims: readonly Row[] = [
  ['come before their pod', 1, [], { spec: data }, ['create db-0 as db-new with data-db-0']],
  ['are used again', 1, [], { spec: data, claims: { 'data-db-0': '' } }, ['create db-0 as db-new']],
  ['come back while a pod is pending', 1, ['0 new pending'], { spec: data }, ['provide data-db-0']],
  ['do not come back under a running pod', 1, ['0 new ready'], { spec: data }, []],
  [
    'that are being deleted keep a pod away',
    1,
    [],
    { spec: data, claims: { 'data-db-0': 'deleting' } },
    ['refuse db-0'],
  ],
  ['are nobody’s by default', 1, ['0 new ready'], { spec: data, claims: { 'data-db-0': '' } }, []],
  [
    'are given up when they shall be retained',
    1,
    ['0 new ready'],
    { spec: data, claims: { 'data-db-0': 'StatefulSet/db/set*' } },
    ['own data-db-0 by nobody'],
  ],
  [
    'go with the set',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': '' } },
    ['own data-db-0 by StatefulSet/db'],
  ],
  [
    'that go with the set are left alone',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': 'StatefulSet/db/set*' } },
    [],
  ],
  [
    'owned without control are owned with it',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': 'StatefulSet/db/set' } },
    ['own data-db-0 by StatefulSet/db'],
  ],
  [
    'stay the set’s as the set shrinks',
    0,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': '' } },
    ['own data-db-0 by StatefulSet/db', 'delete db-0'],
  ],
  [
    'go as the set shrinks',
    0,
    ['0 new ready'],
    { spec: retention('Retain', 'Delete'), claims: { 'data-db-0': '' } },
    ['own data-db-0 by Pod/db-0', 'delete db-0'],
  ],
  [
    'go as the set shrinks, the set’s no more',
    0,
    ['0 new ready'],
    { spec: retention('Delete', 'Delete'), claims: { 'data-db-0': 'StatefulSet/db/set*' } },
    ['own data-db-0 by Pod/db-0', 'delete db-0'],
  ],
  [
    'of a pod that stays after all are given back',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Delete'), claims: { 'data-db-0': 'Pod/db-0/uid-db-0*' } },
    ['own data-db-0 by StatefulSet/db'],
  ],
  [
    'of a pod that stays are nobody’s',
    1,
    ['0 new ready'],
    { spec: retention('Retain', 'Delete'), claims: { 'data-db-0': 'Pod/db-0/uid-db-0*' } },
    ['own data-db-0 by nobody'],
  ],
  [
    'that are about to go keep a pod away',
    1,
    [],
    { spec: retention('Retain', 'Delete'), claims: { 'data-db-0': 'Pod/db-0/earlier*' } },
    [],
  ],
  [
    'of an earlier set are left alone',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': 'StatefulSet/db/earlier*' } },
    [],
  ],
  [
    'of another controller are left alone',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': 'Backup/b/x*' } },
    [],
  ],
  [
    'of another controller are not ours as well',
    1,
    ['0 new ready'],
    { spec: retention('Delete', 'Retain'), claims: { 'data-db-0': 'Backup/b/x* StatefulSet/db/set*' } },
    ['own data-db-0 by Backup/b'],
  ],
];

describe('a stateful set', () => {
  it.each(scaling)('%s', (...[, replicas, pods, facts, steps]) => {
    expect(planSteps(observe(replicas, pods, facts)).map(inWords)).toEqual(steps);
  });
});

describe('an update of a stateful set', () => {
  it.each(updating)('%s', (...[, replicas, pods, facts, steps]) => {
    expect(planSteps(observe(replicas, pods, facts)).map(inWords)).toEqual(steps);
  });
});

describe('maxUnavailable', () => {
  it.each(unavailability)('%s', (...[, replicas, pods, facts, steps]) => {
    expect(planSteps(observe(replicas, pods, facts)).map(inWords)).toEqual(steps);
  });
});

describe('claims', () => {
  it.each(claims)('%s', (...[, replicas, pods, facts, steps]) => {
    expect(planSteps(observe(replicas, pods, facts)).map(inWords)).toEqual(steps);
  });
});

it('a new member has a name, a host name, labels, and its claims as volumes', () => {
  const [step] = planSteps(observe(1, [], { spec: { ...data, ordinals: { start: 7 } } }));
  expect(step).toMatchObject({
    step: 'create',
    pod: {
      metadata: {
        name: 'db-7',
        labels: {
          app: 'db',
          'apps.kubernetes.io/pod-index': '7',
          'statefulset.kubernetes.io/pod-name': 'db-7',
          'controller-revision-hash': 'db-new',
        },
        ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true, blockOwnerDeletion: true }],
      },
      spec: {
        hostname: 'db-7',
        subdomain: 'db',
        containers: [{ image: 'db-new' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-7' } }],
      },
    },
    claims: [{ metadata: { name: 'data-db-7', labels: { app: 'db' } } }],
  });
});

describe('the status', () => {
  it('counts pods by readiness and revision', () => {
    const members = ['0 old ready', '1 old fresh', '2 new unready', '3 new ready deleting'];
    expect(planStatus(observe(4, members, { spec: { minReadySeconds: 10 } }), 0)).toEqual({
      replicas: 4,
      readyReplicas: 3,
      availableReplicas: 2,
      currentReplicas: 2,
      updatedReplicas: 1,
      currentRevision: 'db-old',
      updateRevision: 'db-new',
      observedGeneration: 3,
      collisionCount: 0,
    });
  });

  it.each([
    ['every pod is new and ready', 2, ['0 new ready', '1 new ready'], {}, 'db-new'],
    ['a pod is missing', 2, ['0 new ready'], {}, 'db-old'],
    ['there are more pods than wanted', 1, ['0 new ready', '1 new ready'], {}, 'db-old'],
    ['a pod is not ready', 2, ['0 new ready', '1 new unready'], {}, 'db-old'],
    ['nothing is wanted', 0, [], {}, 'db-new'],
    ['pods are replaced on delete', 1, ['0 new ready'], { spec: onDelete }, 'db-old'],
  ] as const)('names the current revision when %s', (...[, replicas, members, facts, current]) => {
    expect(planStatus(observe(replicas, members, facts), 0).currentRevision).toBe(current);
  });

  it('tells when the next pod will be available', () => {
    const facts = { spec: { minReadySeconds: 10 } };
    expect(nextAvailability(observe(2, ['0 new fresh', '1 new ready'], facts))).toBe(5000);
    expect(nextAvailability(observe(2, ['0 new unready', '1 new ready'], facts))).toBeUndefined();
  });
});
